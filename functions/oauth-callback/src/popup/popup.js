(() => {
  const { message, origin } = document.body.dataset;
  const outcome = JSON.parse(message);
  if (window.opener) window.opener.postMessage(outcome, origin);
  if (outcome.success) window.close();
})();

setInterval(async () => {
  if (document.hidden) return;
  try {
    const response = await fetch(location.href);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const [current, latest] = [document.querySelector("main"), page.querySelector("main")];
    if (response.ok && latest && current.innerHTML !== latest.innerHTML) current.innerHTML = latest.innerHTML;
  } catch {
    // The simulator is down. It may be back next time.
  }
}, 2000);

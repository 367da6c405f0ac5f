const PROBE = "ringlog_site";

/**
 * Whether the API and the page are same-site (RFC 6265bis: same scheme and registrable domain). If they are not, the
 * browser will not send back the cookie that binds a connect flow to it, and the callback will refuse the flow.
 */
export function isSameSite(api: URL, page: URL): boolean {
  if (api.protocol !== page.protocol) return false;
  if (api.hostname === page.hostname) return true;
  const domain = registrableDomain(page.hostname);
  return api.hostname === domain || api.hostname.endsWith(`.${domain}`);
}

/**
 * The widest domain that this page can set a cookie for. The browser refuses public suffixes (`com`, `co.uk`,
 * `vercel.app`), so this finds the registrable domain without bundling a suffix list larger than the card.
 */
function registrableDomain(hostname: string): string {
  const labels = hostname.split(".");
  for (let count = 1; count < labels.length; count += 1) {
    const domain = labels.slice(-count).join(".");
    if (acceptsCookie(domain)) return domain;
  }
  return hostname;
}

function acceptsCookie(domain: string): boolean {
  const cookie = (age: number) => `${PROBE}=1; Domain=${domain}; Path=/; SameSite=Strict; Max-Age=${age}`;
  document.cookie = cookie(5);
  const isAccepted = document.cookie.split("; ").includes(`${PROBE}=1`);
  document.cookie = cookie(0);
  return isAccepted;
}

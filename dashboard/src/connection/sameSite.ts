const PROBE = "ringlog_site";

/**
 * Whether cookies of the API are first-party on this page: both are on one site (RFC 6265bis: the scheme and the
 * registrable domain). Otherwise the cookie that binds a connect flow to this browser would not come back, and the flow
 * would be refused at its end.
 */
export function isSameSite(api: URL, page: URL): boolean {
  if (api.protocol !== page.protocol) return false;
  if (api.hostname === page.hostname) return true;
  const domain = registrableDomain(page.hostname);
  return api.hostname === domain || api.hostname.endsWith(`.${domain}`);
}

/**
 * The widest domain that the browser lets this page set a cookie for. It knows the public suffixes (`com`, `co.uk`,
 * `vercel.app`) and refuses them; a list of our own would be bigger than the card.
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
  const isTaken = document.cookie.split("; ").includes(`${PROBE}=1`);
  document.cookie = cookie(0);
  return isTaken;
}

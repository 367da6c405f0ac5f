/** Every text that the card shows; those about error codes are generated. */

import type { ConnectCode, Rule, SyncStatus } from "./api/client";
import { limits, otherRemedy, remedies } from "./generated";

/** What went wrong, and the steps to fix it. */
export interface Remedy {
  title: string;
  steps: string[];
}

const startAgain = "Start again with the button below.";

const APP_NOT_INSTALLED: Remedy = {
  title: "The app is not installed in your Salesforce org yet",
  steps: [
    "Ask a Salesforce admin of your org to do one of the following, once.",
    "Install the app's package for the users who connect, with the link you got from us.",
    "Or, if the app is listed under Setup › Connected Apps OAuth Usage, choose Install there.",
    startAgain,
  ],
};

const IP_RELAXATION =
  "Setup › External Client App Manager › the app › Policies › Edit › IP Relaxation (for an older Connected App: Setup › Manage Connected Apps › the app › Edit Policies)";

const SAME_SITE = "Contact support: the API needs a domain on the same site as this page (PublicBaseUrl).";

const range = ({ min, max }: { min: number; max: number }) => `${min} to ${max}`;

export const texts = {
  title: "Salesforce",
  loading: "Loading…",
  tryAgain: "Try again",
  cancel: "Cancel",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Copy failed: select the text",
  required: "This field is required.",
  adminsOnly: "Only workspace admins can do this.",

  state: {
    connected: "Connected",
    reconnect_required: "Reconnect needed",
    disconnected: "Not connected",
  },

  connectionDetails: {
    user: "Connected user",
    organization: "Org ID",
    instance: "Instance",
    connectedAt: "Connected since",
    lastSync: "Last call logged",
    never: "None yet",
    usage: "API requests, last 24 hours",
    usageOf: (used: string, limit: string) => `${used} of ${limit}`,
    usageHigh: "Close to the limit. Once it is reached, calls wait until Salesforce accepts requests again.",
    unknown: "Not available yet",
  },

  connect: {
    promise:
      "Every call your voice agent handles is logged as a Task on the matching Lead or Contact. Appointments also become Events.",
    button: "Connect with Salesforce",
    again: "Reconnect Salesforce",
    reconnect:
      "The connection to Salesforce has ended. New calls are kept and will be logged once you reconnect.",
    reason: (reason: string) => `Reason: ${reason}`,
    where: "Where do you log in?",
    environments: { production: "Production", sandbox: "Sandbox", domain: "My Domain" },
    domain: "My Domain URL",
    domainHint:
      "Paste the URL of any page in Salesforce, or enter your My Domain (see Setup › My Domain), for example acme.my.salesforce.com.",
    domainInvalid:
      "This is not a My Domain URL. Paste the URL of any page in Salesforce, or enter your My Domain, which ends with .my.salesforce.com.",
    waiting: "Continue in the Salesforce window: log in, then choose Allow.",
    waitingClosed:
      "The Salesforce window seems to be closed. If it is still open, finish there. Otherwise, start again.",
    startAgain: "Start again",
    problems: "Does the Salesforce window show an error?",
    done: "Salesforce is connected. Calls will now be logged.",
    adminsOnly: "Only workspace admins can connect Salesforce. Ask an admin to connect it.",
  },

  /** Errors that Salesforce shows in its own window, without reporting them to us. */
  windowProblems: [
    {
      title: "“OAUTH_APPROVAL_ERROR_GENERIC”, “OAUTH_EC_APP_NOT_FOUND”, “app must be installed into org”",
      steps: APP_NOT_INSTALLED.steps,
    },
    {
      title: "“Cross-org OAuth flows are not supported”, or your username and password are rejected",
      steps: [
        "You are probably logging in at the wrong URL.",
        "For a sandbox, choose Sandbox. If your org does not allow logins at login.salesforce.com, choose My Domain.",
        "In Salesforce, Setup › My Domain shows the URL.",
      ],
    },
    {
      title: "“Login is not allowed from this address”, “IP restricted or invalid login hours”",
      steps: [
        "Ask a Salesforce admin to check Login IP Ranges and Login Hours on your profile (Setup › Profiles), and to allow your network.",
        `If the error appears after you allow access, our servers must be allowed: ${IP_RELAXATION}.`,
      ],
    },
    {
      title: "“redirect_uri_mismatch” or “client identifier invalid”",
      steps: ["Contact support: our Salesforce app's callback URL or consumer key is wrong."],
    },
  ] satisfies Remedy[],

  /** Why connecting failed, by code. */
  connectProblems: {
    popup_blocked: {
      title: "Your browser blocked the Salesforce window",
      steps: ["Allow pop-ups for this site (the icon in the address bar).", startAgain],
    },
    other_site: {
      title: "This page cannot connect Salesforce",
      steps: [
        "The API is on a different site from this page, so your browser blocks the cookie that secures the connection.",
        SAME_SITE,
      ],
    },
    access_denied: {
      title: "Access was denied",
      steps: [startAgain, "In the Salesforce window, choose Allow."],
    },
    state_expired: {
      title: "Connecting took longer than 10 minutes",
      steps: [startAgain],
    },
    state_unknown: {
      title: "This attempt has already ended",
      steps: [startAgain, "Use only the newest Salesforce window."],
    },
    state_of_another_browser: {
      title: "The connection was started in a different browser",
      steps: [
        startAgain,
        "Finish in the window that opens, in this browser.",
        "If you already did, your browser blocks cookies, or the API is on a different site from this page.",
        SAME_SITE,
      ],
    },
    app_not_installed: APP_NOT_INSTALLED,
    api_disabled: {
      title: "Your Salesforce org or user has no API access",
      steps: [
        "Calls cannot be logged without it, so Salesforce was not connected.",
        "Ask a Salesforce admin to give the user the “API Enabled” permission, in the profile or a permission set.",
        "If the user already has it, your edition does not include the API: Professional Edition can add it, Essentials and Group Edition need an upgrade.",
        startAgain,
      ],
    },
    login_url_refused: {
      title: "This is not a Salesforce login URL",
      steps: [
        "Choose Production or Sandbox, or choose My Domain and paste the URL of any page in Salesforce.",
      ],
    },
    login_address_gone: {
      title: "No Salesforce org found at this URL",
      steps: ["Check your My Domain. In Salesforce, Setup › My Domain shows its current name.", startAgain],
    },
    invalid_scope: {
      title: "Our Salesforce app is missing OAuth scopes",
      steps: ["Contact support: the app must allow the scopes “api” and “refresh_token”."],
    },
    own_configuration: {
      title: "Our Salesforce app is misconfigured",
      steps: ["Contact support: the app's consumer key or secret may be wrong."],
    },
    salesforce_unavailable: {
      title: "Salesforce did not respond",
      steps: ["Wait a moment.", startAgain],
    },
    salesforce_refused: {
      title: "Salesforce refused the connection",
      steps: [
        "Salesforce's message is below.",
        `For “IP restricted”, ask a Salesforce admin to allow our servers: ${IP_RELAXATION}.`,
        "For “inactive user”, log in as an active user.",
        startAgain,
      ],
    },
    admin_required: {
      title: "Only workspace admins can connect Salesforce",
      steps: ["Ask an admin to connect it."],
    },
    missing_parameter: {
      title: "Salesforce's response was incomplete",
      steps: [startAgain],
    },
    // The type makes sure that every code of the API and of the card has an entry.
  } satisfies Record<ConnectCode | "popup_blocked" | "other_site" | "admin_required", Remedy>,
  connectFailed: { title: "Salesforce could not be connected", steps: [startAgain] } satisfies Remedy,

  disconnect: {
    button: "Disconnect",
    question: "Disconnect Salesforce?",
    explanation:
      "Calls are not logged while Salesforce is disconnected. New calls are kept and will be logged once you reconnect. Records already in Salesforce stay there.",
    confirm: "Disconnect",
  },

  tabsLabel: "Salesforce",
  tabs: { calls: "Calls", test: "Test", vapi: "Vapi", settings: "Settings" },

  status: {
    queued: "Queued",
    success: "Logged",
    not_found: "No match",
    retrying: "Retrying",
    waiting_for_connection: "Waiting",
    error: "Failed",
    skipped: "Skipped",
  } satisfies Record<SyncStatus, string>,

  statusMeaning: {
    queued: "Will be logged in a moment.",
    success: "Logged on the record's timeline.",
    not_found: "No Lead or Contact has this number. We check again over the next 24 hours.",
    retrying: "Salesforce has a temporary problem. We retry automatically.",
    waiting_for_connection: "Will be logged when Salesforce is connected.",
    error: "Fix the problem in Salesforce, then retry.",
    skipped: "There was nothing to log, or your settings exclude this call.",
  } satisfies Record<SyncStatus, string>,
  newerVersion:
    "A newer version of Ringlog processed this call. It stays unchanged until that version is back.",

  summary: {
    title: "Last 24 hours",
    total: (count: number) => (count === 1 ? "1 call" : `${count} calls`),
    chart: (parts: string) => `Calls in the last 24 hours: ${parts}`,
    part: (status: string, count: number) => `${status}: ${count}`,
    tooMany: "Too many calls to count.",
  },

  reasons: {
    title: "Why calls are not logged",
    retryAll: "Retry all",
    retryAllOf: (reason: string) => `Retry all: ${reason}`,
    count: (count: number) => (count === 1 ? "1 call" : `${count} calls`),
    queued: (count: number) =>
      count === 1 ? "1 call queued for retry." : `${count} calls queued for retry.`,
    /** For a reason whose calls, with Salesforce's own message, are too far down the list. */
    known: (code: string) =>
      `${code}: ${remedies.find(([beginning]) => code.startsWith(beginning))?.[1] ?? otherRemedy}`,
  },

  calls: {
    title: "Calls",
    filter: "Show",
    all: "All calls",
    empty: "No calls yet",
    emptyHint: "Set up Vapi, then call your agent. The call appears here shortly after it ends.",
    setUpVapi: "Set up Vapi",
    emptyFilter: "No calls with this status.",
    more: "Load more",
    loadingMore: "Loading more…",
    noPerson: "No matching record",
    notLookedUp: "Caller not looked up yet",
    unnamed: { Lead: "Unnamed Lead", Contact: "Unnamed Contact" },
    noNumber: "No number",
    attempts: "Attempts",
    nextAttempt: "Next attempt",
    received: "Received",
    callId: "Call ID",
    why: "How it was matched",
    record: { Lead: "Open Lead", Contact: "Open Contact" },
    task: "Open Task",
    event: "Open Event",
    retry: "Retry",
    retrying: "Queued for retry",
    opensSalesforce: "(opens Salesforce)",
    otherCandidates: (count: number) =>
      count === 1 ? "1 other record has this number:" : `${count} other records have this number:`,
    turnedDown: (count: number) =>
      count === 1 ? "1 record was ruled out:" : `${count} records were ruled out:`,
  },

  rules: {
    only_candidate: "The only record with this number.",
    match_order: "Leads and Contacts have this number; your settings put this type first.",
    most_recent: "The most recently changed of several records with this number.",
    first_created: "The oldest of several records with this number.",
    skip_multiple: "Several records have this number, and your settings skip such calls.",
    no_candidate: "No record has this number.",
    earlier: "Chosen in an earlier attempt.",
    converted: "The Lead was converted to this Contact.",
    new_lead: "No record had this number, so a Lead was created.",
    duplicate: "No record was found, but Salesforce reported this one as a duplicate of the new Lead.",
  } satisfies Record<Rule, string>,
  /** Why a record was ruled out. Any other value is an error code from Salesforce. */
  whyNot: (why: string) =>
    ({
      number_not_read: "the number is in a field that we do not read, or is not written as a number",
      other_number: "it has a different number",
      ENTITY_IS_DELETED: "it was deleted",
    })[why] ?? why,
  field: (field: string) => field.replace(/([a-z])([A-Z])/g, "$1 $2"),
  exactness: { exact: "exact match", national: "match, stored without a country code" },

  test: {
    title: "Test a number",
    intro:
      "See which record a number matches and what would be written. Nothing is written until you choose to.",
    number: "Phone number",
    numberHint: "The number of one of your Leads or Contacts, for example +1 234 555 0123.",
    preview: "Show what would happen",
    write: "Write a test Task",
    writeHint: "This creates a real Task in Salesforce, marked as a test.",
    previewing: "Checking Salesforce…",
    writing: "Writing…",
    wouldWrite: (record: string) => `The call would be logged on ${record}.`,
    isLogged: (record: string, hasChanges: boolean) =>
      `The call is already logged on ${record}. ${hasChanges ? "It would be updated as shown below." : "Nothing would change."}`,
    wouldMakeLead: "A Lead would be created, and the call logged on it.",
    wouldNot: "The call would not be logged.",
    wrote: "The test Task was written.",
    wroteNot: "Nothing was written.",
    candidates: "Records with this number",
    payloads: "What would be written",
    objects: { lead: "Lead", task: "Task", event: "Event" },
  },

  vapi: {
    title: "Set up Vapi",
    intro:
      "Paste these values into your assistant in Vapi under Advanced › Server, or set them through Vapi's API.",
    url: "Server URL",
    header: "Header",
    secret: "Secret",
    reveal: "Show",
    hide: "Hide",
    json: "Everything as JSON",
    rotate: "Rotate secret…",
    rotateQuestion: "Rotate the secret?",
    rotateExplanation:
      "Your current secret keeps working until you rotate again, so no call is lost while you update Vapi.",
    rotateRevoke: "The current secret has leaked: revoke it now",
    rotateRevokeWarning: "Calls are not logged until the new secret is in Vapi.",
    rotateConfirm: "Rotate secret",
    rotated: "This is the new secret. Paste it into Vapi now.",
  },

  settings: {
    title: "Settings",
    timeZone: "Time zone",
    timeZoneHint: "For appointment times, if the call does not name a time zone.",
    defaultCountry: "Default country",
    defaultCountryHint: "For phone numbers without a country code. Two letters, for example US.",
    loginUrl: "Salesforce login URL",
    loginUrlHint:
      "Leave empty for the default, or enter your My Domain. You can paste the URL of any page in Salesforce; it is saved as your My Domain.",
    matchOrder: "Search for callers in",
    matchOrders: {
      "Lead,Contact": "Leads, then Contacts",
      "Contact,Lead": "Contacts, then Leads",
      Lead: "Leads only",
      Contact: "Contacts only",
    },
    multipleMatches: "If several records match",
    multipleMatchesOptions: {
      most_recent: "Use the most recently changed",
      first_created: "Use the oldest",
      skip: "Do not log the call",
    },
    noMatch: "If no record matches",
    noMatchOptions: { skip: "Do not log the call", create_lead: "Create a Lead" },
    callTypes: "Calls to log",
    callTypesOptions: {
      "inbound,outbound": "All calls",
      inbound: "Inbound calls only",
      outbound: "Outbound calls only",
    },
    appointmentDurationMinutes: "Appointment length (minutes)",
    appointmentDurationHint: `If the call does not give a duration. ${range(limits.appointmentDurationMinutes)}.`,
    includeTranscript: "Include the transcript in the Task",
    useGivenNumber: "If a call has no number, use the one the caller gives (unverified)",
    retentionDays: "Keep calls here for (days)",
    retentionHint: `Applies to finished calls. ${range(limits.retentionDays)}. Nothing in Salesforce is deleted.`,
    save: "Save",
    saving: "Saving…",
    saved: "Saved.",
    reset: "Discard changes",
    changed: "Someone else changed the settings in the meantime.",
    reload: "Load the current settings",
  },

  /** Messages by error code, for responses whose own detail does not suit the card's users. */
  problems: {
    network: "Can't reach the service. Check your internet connection.",
    admin_required: "Only workspace admins can do this.",
    http_401: "Your session has expired. Sign in again.",
    unauthenticated: "Your session has expired. Sign in again.",
    http_429: "Too many requests. Wait a moment, then try again.",
  } as Record<string, string>,
  problem: "Something went wrong. Try again.",
  stale: "This may be out of date: the service cannot be reached.",
};

/** The text for a word of the API. A word that only a newer version of Ringlog knows is shown as it is. */
export function textFor<Word extends string>(words: Record<Word, string>, word: Word): string {
  return Object.hasOwn(words, word) ? words[word] : word;
}

/** A phone number reduced to its last four digits. */
export function maskedNumber(number: string): string {
  const digits = number.replace(/\D/g, "");
  return digits.length < 8 ? "••••" : `•••• ${digits.slice(-4)}`;
}

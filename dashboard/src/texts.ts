/** Every word that people read on the card. */

import type { ConnectCode, Rule, SyncStatus } from "./api/client";

/** Something that went wrong, and the steps that mend it. */
export interface Remedy {
  title: string;
  steps: string[];
}

const startAgain = "Start again with the button below.";

const APP_NOT_INSTALLED: Remedy = {
  title: "The app is not installed in your Salesforce org yet",
  steps: [
    "Ask a Salesforce admin of your org to do this once.",
    "Install the app's package with the link that you got from us, for the users who connect.",
    "Or, where the app is listed under Setup › Connected Apps OAuth Usage, choose Install there.",
    startAgain,
  ],
};

const IP_RELAXATION =
  "Setup › External Client App Manager › the app › Policies › Edit › IP Relaxation (an older Connected App: Setup › Manage Connected Apps › the app › Edit Policies)";

const SESSION_REFUSED =
  "Your org refuses our app's sessions. Check its session settings, login addresses and API Access Control; then connect again and retry.";

export const texts = {
  title: "Salesforce",
  loading: "Loading …",
  tryAgain: "Try again",
  cancel: "Cancel",
  close: "Close",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Select it and copy it by hand",
  required: "Please fill this in.",
  adminsOnly: "Only an admin of your workspace may do this.",

  state: {
    connected: "Connected",
    reconnect_required: "Reconnect needed",
    disconnected: "Not connected",
  },

  connectionDetails: {
    user: "Writes as",
    organization: "Org",
    instance: "Instance",
    connectedAt: "Connected since",
    lastSync: "Last call logged",
    never: "None yet",
    usage: "API requests, last 24 h",
    usageOf: (used: string, limit: string) => `${used} of ${limit}`,
    usageHigh: "Little is left. When the limit is reached, calls wait until Salesforce allows more.",
    unknown: "Not known yet",
  },

  connect: {
    promise:
      "Every call that your voice agent takes becomes a Task on the caller's Lead or Contact; an appointment becomes an Event.",
    button: "Connect with Salesforce",
    again: "Reconnect Salesforce",
    reconnect: "Salesforce no longer lets us in. Calls are kept, and are logged as soon as you reconnect.",
    reason: (words: string) => `Reason: ${words}`,
    where: "Where do you log in?",
    environments: { production: "Production", sandbox: "Sandbox", domain: "My Domain" },
    domain: "Your My Domain address",
    domainHint:
      "Paste the address of any page in Salesforce, or enter your My Domain (Setup › My Domain), for example acme.my.salesforce.com.",
    domainInvalid:
      "This is not a My Domain address. Paste the address of any page in Salesforce, or enter your My Domain: it ends with .my.salesforce.com.",
    waiting: "Continue in the Salesforce window: log in, then choose Allow.",
    waitingClosed:
      "The Salesforce window seems to be closed. If you can still see it, finish there. If not, start again.",
    startAgain: "Start again",
    problems: "The Salesforce window shows an error?",
    done: "Salesforce is connected. Calls are logged from now on.",
    adminsOnly: "Only an admin of your workspace can connect Salesforce. Please ask one.",
  },

  /** What Salesforce shows in its own window, where nobody tells us of it. */
  windowProblems: [
    {
      title: "“OAUTH_APPROVAL_ERROR_GENERIC”, “OAUTH_EC_APP_NOT_FOUND”, “app must be installed into org”",
      steps: APP_NOT_INSTALLED.steps,
    },
    {
      title: "“Cross-org OAuth flows are not supported”, or your username and password are not taken",
      steps: [
        "You are probably logging in at the wrong place.",
        "Choose Sandbox for a sandbox; choose My Domain if your org does not let you in at login.salesforce.com.",
        "In Salesforce, Setup › My Domain shows the address.",
      ],
    },
    {
      title: "“Login is not allowed from this address”, “IP restricted or invalid login hours”",
      steps: [
        "Ask a Salesforce admin to open Setup › Users › your profile › Login IP Ranges and Login Hours, and to allow your network.",
        `If it says so after you chose Allow, our servers must be allowed: ${IP_RELAXATION}.`,
      ],
    },
    {
      title: "“redirect_uri_mismatch” or “client identifier invalid”",
      steps: [
        "This is for whoever runs this service: the Salesforce app's callback URL or key is wrong. Please tell us.",
      ],
    },
  ] satisfies Remedy[],

  /** Why a connect did not come about, by code. */
  connectProblems: {
    popup_blocked: {
      title: "Your browser blocked the Salesforce window",
      steps: ["Allow pop-ups for this site (the sign in the address bar).", startAgain],
    },
    other_site: {
      title: "This page cannot connect Salesforce",
      steps: [
        "The API is on another site than this page, so your browser keeps back the cookie that secures the connection.",
        "Whoever runs this service has to give the API a domain beside this page's (PublicBaseUrl).",
      ],
    },
    access_denied: {
      title: "Access was denied",
      steps: [startAgain, "In Salesforce's window choose Allow."],
    },
    state_expired: {
      title: "It took longer than 10 minutes",
      steps: [startAgain],
    },
    state_unknown: {
      title: "This attempt is over already",
      steps: [startAgain, "Use only the newest Salesforce window."],
    },
    state_of_another_browser: {
      title: "It was finished in another browser than it was begun in",
      steps: [
        startAgain,
        "Finish in the window that opens, in this browser.",
        "If you did: API and dashboard are not on one site, or your browser blocks cookies. Whoever runs this service has to give the API a domain beside this page's (PublicBaseUrl).",
      ],
    },
    app_not_installed: APP_NOT_INSTALLED,
    api_disabled: {
      title: "Your Salesforce org or user has no API",
      steps: [
        "Without it no call can be logged, so nothing was connected.",
        "Ask a Salesforce admin to give the user the permission “API Enabled”, in its profile or a permission set.",
        "If the user has it, your edition has no API: Professional Edition can buy it from Salesforce, Essentials and Group Edition need an upgrade.",
        startAgain,
      ],
    },
    login_url_refused: {
      title: "This is not a place where Salesforce users log in",
      steps: [
        "Choose Production or Sandbox, or choose My Domain and paste the address of any page in Salesforce.",
      ],
    },
    login_address_gone: {
      title: "No Salesforce org answers at this address",
      steps: ["Check the My Domain. Salesforce shows its current name under Setup › My Domain.", startAgain],
    },
    invalid_scope: {
      title: "The Salesforce app is set up too narrowly",
      steps: [
        "Whoever runs this service has to allow the scopes “api” and “refresh_token” in the Salesforce app.",
      ],
    },
    own_configuration: {
      title: "Salesforce does not know our app",
      steps: ["Whoever runs this service has to check the Salesforce app's key and secret. Please tell us."],
    },
    salesforce_unavailable: {
      title: "Salesforce did not answer",
      steps: ["Wait a moment.", startAgain],
    },
    salesforce_refused: {
      title: "Salesforce refused to connect",
      steps: [
        "Salesforce's words are below.",
        `“IP restricted”: ask a Salesforce admin to allow our servers: ${IP_RELAXATION}.`,
        "“inactive user”: log in as an active user.",
        startAgain,
      ],
    },
    admin_required: {
      title: "Only an admin of your workspace can connect Salesforce",
      steps: ["Please ask one."],
    },
    missing_parameter: {
      title: "Salesforce sent the browser back with something missing",
      steps: [startAgain],
    },
    // What the card itself finds out, and what the callback answers: each has a way out.
  } satisfies Record<ConnectCode | "popup_blocked" | "other_site" | "admin_required", Remedy>,
  connectFailed: { title: "Salesforce could not be connected", steps: [startAgain] } satisfies Remedy,

  disconnect: {
    button: "Disconnect",
    question: "Disconnect Salesforce?",
    explanation:
      "No more calls are logged. New calls are kept and wait; they are logged when you connect again. What is in Salesforce stays there.",
    confirm: "Disconnect",
  },

  tabsLabel: "Salesforce",
  tabs: { calls: "Calls", test: "Test", vapi: "Vapi", settings: "Settings" },

  status: {
    queued: "In line",
    success: "Logged",
    not_found: "Not found",
    retrying: "Trying again",
    waiting_for_connection: "Waiting",
    error: "Failed",
    skipped: "Skipped",
  } satisfies Record<SyncStatus, string>,

  statusMeaning: {
    queued: "It is about to be logged.",
    success: "It is on the record's timeline.",
    not_found: "No Lead or Contact has the number. We look again for a day.",
    retrying: "Salesforce has a passing problem. We try again by ourselves.",
    waiting_for_connection: "It is logged when Salesforce is connected again.",
    error: "Something has to be changed in Salesforce first. Then retry.",
    skipped: "There was nothing to log, or your settings leave it out.",
  } satisfies Record<SyncStatus, string>,

  summary: {
    title: "Last 24 hours",
    total: (count: number) => (count === 1 ? "1 call" : `${count} calls`),
    chart: (parts: string) => `Calls of the last 24 hours: ${parts}`,
    part: (status: string, count: number) => `${status}: ${count}`,
    tooMany: "More calls than can be counted at once.",
  },

  reasons: {
    title: "What keeps calls from being logged",
    retryAll: "Retry all",
    retryAllOf: (reason: string) => `Retry all: ${reason}`,
    count: (count: number) => (count === 1 ? "1 call" : `${count} calls`),
    queued: (count: number) =>
      count === 1 ? "1 call is in line again." : `${count} calls are in line again.`,
    /** A reason whose calls, with Salesforce's own words, are too far down to be read each time. */
    known: (code: string, remedy: string) => `${code}: ${remedy}`,
  },

  /**
   * What to do, by the beginning of an error code (operations.md, "The error codes"); the first that fits counts. Every
   * call says it in more words.
   */
  remedies: [
    ["not_found", "No Lead or Contact has the caller's number. Give the record the number, then retry."],
    ["too_many_candidates", "Too many records have the number. Merge duplicates, then retry."],
    ["multiple_matches", "Several records have the number. Merge them, or change the settings; then retry."],
    [
      "possible_match",
      "Somebody may have this number, so no Lead was made. Put the number into Phone or MobilePhone, then retry.",
    ],
    [
      "record_not_found",
      "The call's metadata names a record that the org does not have. Correct what starts the calls.",
    ],
    ["record_id_unreadable", "The call's metadata names no Lead or Contact. Correct what starts the calls."],
    ["no_phone_number", "The call has no number. There is nothing to do."],
    ["phone_number_withheld", "The caller withheld the number. There is nothing to do."],
    ["phone_number_unreadable", "The number cannot be read. Set the country in the settings, then retry."],
    ["call_type_not_logged", "Your settings leave out such calls. Change them, then retry."],
    ["webhook_secret_revoked", "The report came with a revoked secret. Paste the current one into Vapi."],
    ["org_changed", "It belongs to another Salesforce org. Connect that one and retry, or leave it."],
    ["too_many_new_records", "Too many new records at once. It passes by itself."],
    ["REQUEST_LIMIT_EXCEEDED", "The org's API requests are used up. If it happens often, raise the limit."],
    ["invalid_grant", "Salesforce restricts the login by address or hours. Allow our addresses in the org."],
    ["invalid_client", "Salesforce refuses our app's key or secret. Whoever runs this service corrects it."],
    ["bad_signature", "Our app's secret is wrong. Whoever runs this service corrects it."],
    ["client_secret_unavailable", "Our app's secret cannot be read. Whoever runs this service corrects it."],
    ["login_url_refused", "The login host is not one of Salesforce's. Connect again, then retry."],
    ["instance_url_refused", "The org's host is not one of Salesforce's. Connect again, then retry."],
    ["identity_url_refused", "The user's host is not one of Salesforce's. Connect again, then retry."],
    ["timeout", "Salesforce did not answer in time. We try again by ourselves."],
    ["connection", "Salesforce could not be reached. We try again by ourselves."],
    ["settling", "An earlier attempt had no answer; we make sure of it first. There is nothing to do."],
    ["rate_limit_exceeded", "Too many ask Salesforce for a session. We try again by ourselves."],
    ["out_of_time", "Salesforce is slow. We try again by ourselves."],
    ["http_", "Something between us and Salesforce answered. Retry; if it stays, please tell us."],
    [
      "API_DISABLED_FOR_ORG",
      "Your Salesforce edition has no API, or the connected user lacks “API Enabled”. Give the user the permission; if it has it, ask Salesforce for the API. Then retry.",
    ],
    ["API_CURRENTLY_DISABLED", "Give the connected user the permission “API Enabled”, then retry."],
    ["INVALID_SESSION_ID", SESSION_REFUSED],
    ["INVALID_AUTH_HEADER", SESSION_REFUSED],
    [
      "INVALID_OPERATION_WITH_EXPIRED_PASSWORD",
      "The connected user's password has expired. Reset it, let it never expire, then retry.",
    ],
    [
      "FIELD_CUSTOM_VALIDATION_EXCEPTION",
      "Change the validation rule, or exempt the connected user; then retry.",
    ],
    ["FIELD_FILTER_VALIDATION_EXCEPTION", "Change the lookup filter or make it optional, then retry."],
    [
      "CANNOT_EXECUTE_FLOW_TRIGGER",
      "A flow in your org fails. Its last editor has a mail from Salesforce with the details. Correct the flow, then retry.",
    ],
    ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "Change the trigger or flow that refuses it, then retry."],
    ["APEX_", "Apex code in your org fails. Correct it or exempt the connected user, then retry."],
    [
      "REQUIRED_FIELD_MISSING",
      "Make the required field optional for what is written (Task, Event or Lead), then retry.",
    ],
    ["FIELD_INTEGRITY_EXCEPTION", "Change the rule that does not allow these values together, then retry."],
    [
      "STRING_TOO_LONG",
      "A value is longer than its field. Make the field longer, or correct what fills it; then retry.",
    ],
    ["INACTIVE_OWNER_OR_USER", "It would belong to an inactive user. Choose an active owner, then retry."],
    [
      "INSUFFICIENT_ACCESS",
      "Let the connected user read the record, edit Tasks and Events, and create Leads if you want new ones. Then retry.",
    ],
    ["TXN_SECURITY_", "Exempt the connected user from the transaction security policy, then retry."],
    ["ENTITY_IS_LOCKED", "An approval locks the record. Unlock it, then retry."],
    ["ENTITY_IS_DELETED", "The record was deleted. Restore it or create it anew, then retry."],
    [
      "INVALID_CROSS_REFERENCE_KEY",
      "The record, its owner or its record type is gone, or closed to the connected user. Open a call to see which.",
    ],
    [
      "CANNOT_UPDATE_CONVERTED_LEAD",
      "Give the Contact that the Lead became the caller's number, then retry.",
    ],
    ["STORAGE_LIMIT_EXCEEDED", "The org's data storage is full. Free some or buy more, then retry."],
    ["INVALID_TYPE", "Give the connected user access to Leads, Contacts, Tasks and Events, then retry."],
    ["NOT_FOUND", "Give the connected user access to Leads, Contacts, Tasks and Events, then retry."],
    ["INVALID_FIELD", "Make the field visible and editable for the connected user, then retry."],
    [
      "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
      "Add the value to the picklist of what is written (Task, Event or Lead), then retry.",
    ],
    [
      "DUPLICATES_DETECTED",
      "A duplicate rule blocks it. Set the rule's action on create to Allow, then retry.",
    ],
    ["UNABLE_TO_LOCK_ROW", "Something keeps the record locked. Retry when it has ended."],
  ] satisfies [prefix: string, remedy: string][],
  remedy: "Retry; if it stays, please tell us.",

  calls: {
    title: "Calls",
    filter: "Show",
    all: "All calls",
    empty: "No calls yet",
    emptyHint: "Set up Vapi, then call your agent. The call appears here a few seconds after it ends.",
    setUpVapi: "Set up Vapi",
    emptyFilter: "No calls with this status.",
    more: "Load more",
    loadingMore: "Loading more …",
    noPerson: "Nobody matched",
    notLookedUp: "Caller not looked up yet",
    unnamed: { Lead: "Unnamed Lead", Contact: "Unnamed Contact" },
    noNumber: "No number",
    attempts: "Attempts",
    nextAttempt: "Next attempt",
    received: "Received",
    callId: "Call id",
    why: "Why this record",
    record: { Lead: "Open Lead", Contact: "Open Contact" },
    task: "Open Task",
    event: "Open Event",
    retry: "Retry",
    retrying: "In line again …",
    opensSalesforce: "(opens Salesforce)",
    otherCandidates: (count: number) =>
      count === 1 ? "1 other record has this number:" : `${count} other records have this number:`,
    turnedDown: (count: number) =>
      count === 1 ? "1 record was not used:" : `${count} records were not used:`,
  },

  rules: {
    only_candidate: "It is the only record with this number.",
    match_order: "Of the kinds of records with this number, its kind comes first in your settings.",
    most_recent: "Of several records with this number it was changed last.",
    first_created: "Of several records with this number it was created first.",
    skip_multiple: "Several records have this number, and your settings skip such calls.",
    no_candidate: "No record has this number.",
    earlier: "An earlier attempt chose it, and it stays.",
    converted: "The Lead was converted to this Contact.",
    new_lead: "Nobody had this number, so a Lead was made.",
    duplicate: "Nobody was found, and Salesforce named it as the duplicate of the Lead that was to be made.",
  } satisfies Record<Rule, string>,
  /** Why a record was not used; otherwise Salesforce's code. */
  whyNot: (why: string) =>
    ({
      number_not_read: "the number is in a field that we cannot read, or is not written as a number",
      other_number: "it has another number",
      ENTITY_IS_DELETED: "it was deleted",
    })[why] ?? why,
  field: (field: string) => field.replace(/([a-z])([A-Z])/g, "$1 $2"),
  exactness: { exact: "the same number", national: "the same number, stored without country code" },

  test: {
    title: "Try it",
    intro:
      "See which record a number matches and what would be written. Nothing is written until you say so.",
    number: "Phone number",
    numberHint: "For example +1 234 555 0123, a number that stands on a Lead or Contact of yours.",
    preview: "Show what would happen",
    write: "Write a test Task",
    writeHint: "This writes a real Task, marked as a test.",
    previewing: "Asking Salesforce …",
    writing: "Writing …",
    wouldWrite: (record: string) => `It would be logged on ${record}.`,
    isLogged: (record: string, isMore: boolean) =>
      `It is logged already on ${record}. ${isMore ? "This would be changed or added." : "Nothing would change."}`,
    wouldMakeLead: "A Lead would be made, and the call logged on it.",
    wouldNot: "It would not be logged.",
    wrote: "The test Task is written.",
    wroteNot: "Nothing was written.",
    candidates: "Records with this number",
    payloads: "What would be written",
    objects: { lead: "Lead", task: "Task", event: "Event" },
  },

  vapi: {
    title: "Set up Vapi",
    intro: "Paste this into the assistant in Vapi: Advanced › Server, or by the API.",
    url: "Server URL",
    header: "Header",
    secret: "Secret",
    reveal: "Show",
    hide: "Hide",
    json: "Or all at once, as JSON",
    rotate: "New secret …",
    rotateQuestion: "Make a new secret?",
    rotateExplanation:
      "The secret of now stays good beside the new one until you make another, so that no call is lost while you change it in Vapi.",
    rotateRevoke: "Somebody else has it: refuse it from now on",
    rotateRevokeWarning: "Calls are lost until the new secret is in Vapi.",
    rotateConfirm: "Make a new secret",
    rotated: "This is the new secret. Paste it into Vapi now.",
  },

  settings: {
    title: "Settings",
    timeZone: "Time zone",
    timeZoneHint: "Where appointment times are meant if the call does not say it.",
    defaultCountry: "Country",
    defaultCountryHint: "Of phone numbers that are stored without a country code: two letters, like US.",
    loginUrl: "Salesforce login",
    loginUrlHint:
      "Leave it empty, or enter your My Domain. The address of any page in Salesforce will do; it is kept as your My Domain.",
    matchOrder: "Look for callers among",
    matchOrders: {
      "Lead,Contact": "Leads, then Contacts",
      "Contact,Lead": "Contacts, then Leads",
      Lead: "Leads only",
      Contact: "Contacts only",
    },
    multipleMatches: "If several have the number",
    multipleMatchesOptions: {
      most_recent: "Take the one changed last",
      first_created: "Take the one created first",
      skip: "Do not log the call",
    },
    noMatch: "If nobody has the number",
    noMatchOptions: { skip: "Do not log the call", create_lead: "Create a Lead" },
    callTypes: "Which calls to log",
    callTypesOptions: {
      "inbound,outbound": "All calls",
      inbound: "Inbound calls only",
      outbound: "Outbound calls only",
    },
    appointmentDurationMinutes: "Appointment length (minutes)",
    appointmentDurationHint: "If the call does not say it: 1 to 1440.",
    includeTranscript: "Write the transcript into the Task",
    useGivenNumber:
      "If a call has no number, use the one that the caller gives (nobody proves that it is theirs)",
    retentionDays: "Keep calls here (days)",
    retentionHint: "Finished ones: 30 to 3650. What is in Salesforce stays.",
    save: "Save",
    saving: "Saving …",
    saved: "Saved.",
    reset: "Discard changes",
    changed: "Somebody else changed the settings meanwhile.",
    reload: "Show the current settings",
  },

  /** What went wrong with a request, by code, where the answer's own words are not for this reader. */
  problems: {
    network: "The service cannot be reached. Check your connection.",
    admin_required: "Only an admin of your workspace may do this.",
    http_401: "Your session is over. Please sign in again.",
    unauthenticated: "Your session is over. Please sign in again.",
    http_429: "That was too much at once. Wait a moment.",
  } as Record<string, string>,
  problem: "Something went wrong. Please try again.",
  stale: "This may be out of date: the service cannot be reached.",
};

/** What is shown of a phone number: its last four digits. */
export function maskedNumber(number: string): string {
  const digits = number.replace(/\D/g, "");
  return digits.length < 8 ? "••••" : `•••• ${digits.slice(-4)}`;
}

/** What to do about an error code, as far as the code alone says it. */
export function remedyOf(code: string): string {
  return texts.remedies.find(([prefix]) => code.startsWith(prefix))?.[1] ?? texts.remedy;
}

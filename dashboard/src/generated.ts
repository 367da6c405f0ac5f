// Generated from shared/calls/src by `UPDATE=1 cargo test -p calls --lib generated`.

/** What error codes mean and what to do, by prefix. The first match counts. */
export const remedies: readonly (readonly [prefix: string, text: string])[] = [
  ["not_found", "No Lead or Contact that the connected user can see has the caller's number. Ringlog looks for new records for a day. If the caller should be known, add the number to their record, then retry."],
  ["too_many_candidates", "At least 200 records have a number like the caller's, so the right one may be missing. Merge duplicates in Salesforce, then retry."],
  ["possible_match", "Salesforce found records with the caller's number in a field that Ringlog does not read, or in a form that it cannot read, so no Lead was created. Put the number into a field that Ringlog reads (Phone and MobilePhone; of a Contact also HomePhone, OtherPhone and AssistantPhone), then retry."],
  ["multiple_matches", "Several records have the caller's number, and the workspace's settings skip such calls. Merge the records or change the settings, then retry."],
  ["no_phone_number", "The call has no phone number: it is a web call, or the report does not include one."],
  ["phone_number_withheld", "The caller withheld the phone number."],
  ["phone_number_unreadable", "The caller's number, as reported, is not a phone number. If only its country code is missing, set the workspace's default country, then retry."],
  ["record_not_found", "The Lead or Contact named in the call's metadata (salesforceRecordId) is not in the connected org, or the connected user cannot see it. Ringlog looks for it again for a day. Correct whatever starts the calls, or let the user see the record, then retry."],
  ["record_id_unreadable", "The salesforceRecordId in the call's metadata is not the ID of a Lead or Contact. Correct whatever starts the calls, then send the report again."],
  ["call_type_not_logged", "The workspace's settings do not log such calls. To log them, change the settings, then retry."],
  ["webhook_secret_revoked", "The report came with a revoked webhook secret. Paste the current secret into Vapi."],
  ["org_changed", "The call belongs to the Salesforce org that was connected before; it is not written to another org. Connect that org again and retry, or leave the call."],
  ["settling", "An earlier request to Salesforce got no response. Ringlog looks for what it wrote, and writes again only when that request can no longer take effect. Ringlog retries automatically."],
  ["out_of_time", "Salesforce was slow, and the worker ran out of time. Ringlog retries automatically."],
  ["crowded", "Too many of this workspace's calls waited for Salesforce at once, so this one gave way to those of other workspaces. Ringlog retries automatically."],
  ["timeout", "Salesforce could not be reached or did not respond in time. Ringlog retries automatically."],
  ["connection", "Salesforce could not be reached or did not respond in time. Ringlog retries automatically."],
  ["REQUEST_LIMIT_EXCEEDED", "Salesforce accepts no more API requests from this org for now. If this happens often, raise the org's API request limit, or find what uses it up. Ringlog retries automatically."],
  ["too_many_new_records", "No record found so far has the caller's number, and too many were created in the last 15 minutes to check (an import, for example). Ringlog retries automatically."],
  ["UNABLE_TO_LOCK_ROW", "Another process, such as an import, has locked the record. Ringlog retries automatically."],
  ["INVALID_SESSION_ID", "The org rejects the app's sessions, new ones included. In Setup › Session Settings, turn off “Lock sessions to the IP address from which they originated”. Allow Ringlog's addresses in the user's Login IP Ranges and in the app's OAuth policies. If API Access Control is on, allow the app there. Then connect again and retry."],
  ["INVALID_AUTH_HEADER", "The org rejects the app's sessions, new ones included. In Setup › Session Settings, turn off “Lock sessions to the IP address from which they originated”. Allow Ringlog's addresses in the user's Login IP Ranges and in the app's OAuth policies. If API Access Control is on, allow the app there. Then connect again and retry."],
  ["invalid_grant", "Salesforce grants no session at the moment. The connection stays. If logins are restricted by IP address, allow Ringlog's addresses: in the Login IP Ranges of the connected user's profile, or under Setup › External Client App Manager › the app › Policies › IP Relaxation. If they are restricted by hours, check the profile's Login Hours. Ringlog retries automatically."],
  ["rate_limit_exceeded", "Salesforce received too many login requests at once. Ringlog retries automatically."],
  ["invalid_client", "Salesforce rejects this deployment's client ID or secret. Contact support: the operator has to correct them. Ringlog retries automatically."],
  ["invalid_client_id", "Salesforce rejects this deployment's client ID or secret. Contact support: the operator has to correct them. Ringlog retries automatically."],
  ["bad_signature", "Salesforce's response with new tokens is not signed with this deployment's client secret, so it was not trusted. Contact support: the operator has to correct it. Ringlog retries automatically."],
  ["client_secret_unavailable", "Ringlog could not read its client secret, which it needs to log in to Salesforce. If this continues, contact support. Ringlog retries automatically."],
  ["login_url_refused", "The connection's login URL is not a Salesforce address, so no credentials were sent there. Connect Salesforce again, then retry. If it fails again, contact support."],
  ["instance_url_refused", "The org's URL is not a Salesforce address, so no credentials were sent there. Connect Salesforce again, then retry. If it fails again, contact support."],
  ["identity_url_refused", "The connected user's identity URL is not a Salesforce address, so no credentials were sent there. Connect Salesforce again, then retry. If it fails again, contact support."],
  ["unreadable_answer", "Salesforce's response is not what its API promises. If this continues, contact support. Ringlog retries automatically."],
  ["unsendable", "Ringlog built a request that cannot be sent. Contact support and give the error code."],
  ["no_search_term", "The caller's number has nothing in it that Salesforce can search for. Contact support and give the error code."],
  ["http_", "Salesforce responded without an error code, or something between Ringlog and Salesforce responded instead. If the call failed, retry. If the problem persists, contact support and give the error code."],
  ["API_DISABLED_FOR_ORG", "The org's Salesforce edition has no API, or the connected user lacks the permission “API Enabled”. Give the user the permission. If the user has it: Professional Edition gets the API as an add-on from Salesforce, Essentials and Group Edition by an upgrade. Then retry."],
  ["API_CURRENTLY_DISABLED", "Give the connected user the permission “API Enabled”, in its profile or a permission set, then retry."],
  ["INVALID_OPERATION_WITH_EXPIRED_PASSWORD", "The connected user's password has expired: reset it, and give the user the permission “Password Never Expires”, then retry."],
  ["FIELD_CUSTOM_VALIDATION_EXCEPTION", "Change the validation rule, or exempt the connected user from it, then retry."],
  ["FIELD_FILTER_VALIDATION_EXCEPTION", "A lookup filter does not allow a value of the Task, Event or Lead: change the filter or make it optional, then retry."],
  ["CANNOT_EXECUTE_FLOW_TRIGGER", "A flow failed on the Task, Event or Lead. Salesforce e-mails the details to the admin who last changed the flow; the Error ID in Salesforce's words, if there is one, identifies that e-mail. Correct the flow, or make it skip the connected user, then retry."],
  ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "A trigger or flow refused the Task, Event or Lead: change it, or exempt the connected user from it, then retry."],
  ["APEX_", "Apex code of the org failed on the Task, Event or Lead: correct it, or exempt the connected user from it, then retry."],
  ["REQUIRED_FIELD_MISSING", "The org requires a field that Ringlog does not fill: make it optional for Tasks, Events or Leads, then retry."],
  ["FIELD_INTEGRITY_EXCEPTION", "A rule of the org does not allow these values together: change it for Tasks, Events or Leads, then retry."],
  ["STRING_TOO_LONG", "A value is longer than its field: make the field of Tasks, Events or Leads longer, or correct the flow or trigger that fills it, then retry."],
  ["INACTIVE_OWNER_OR_USER", "The Task, Event or Lead would belong to an inactive user: choose an active owner wherever the org sets it (a flow, trigger or assignment rule), then retry."],
  ["INSUFFICIENT_ACCESS", "Give the connected user read access to the record, and the permissions “Edit Tasks” and “Edit Events”; for a Lead, “Create” on Leads, then retry."],
  ["TXN_SECURITY_", "A transaction security policy blocks the connected user: exempt it, then retry."],
  ["ENTITY_IS_LOCKED", "The record is locked by an approval: unlock it, then retry."],
  ["ENTITY_IS_DELETED", "The record was deleted. Restore it or create it again, then retry."],
  ["INVALID_CROSS_REFERENCE_KEY", "The record, or what a flow, trigger or default of the org gives it, is gone or hidden from the connected user: give it read access, then retry."],
  ["CANNOT_UPDATE_CONVERTED_LEAD", "The Lead is converted. Give its Contact the caller's number, then retry."],
  ["STORAGE_LIMIT_EXCEEDED", "The org's data storage is full: free up space or buy more, then retry."],
  ["INVALID_TYPE", "Give the connected user access to Leads, Contacts, Tasks and Events, then retry."],
  ["NOT_FOUND", "Give the connected user access to Leads, Contacts, Tasks and Events, then retry."],
  ["INVALID_FIELD", "Make the field visible to the connected user and editable by it (field-level security), then retry."],
  ["INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "Add the value to the picklist of Tasks, Events or Leads, then retry."],
  ["DUPLICATES_DETECTED", "A duplicate rule blocks the Task, Event or Lead: set its action on create to Allow, with or without an alert, at least for the connected user. Or give the record that the rule found the caller's number. Then retry."],
];

/** What to do about any other code. */
export const otherRemedy = "Retry. If it fails again, contact support and give the error code.";

/** Codes of calls that are logged, or that wait for a connection. */
export const noteCodes: readonly string[] = ["not_connected", "reconnect_required", "fields_left_out", "event_refused", "kept_by_person", "task_taken_off", "activity_deleted", "activity_not_updated", "appointment_without_date", "appointment_without_time", "appointment_date_invalid", "appointment_time_invalid", "appointment_time_zone_invalid", "appointment_time_zone_ambiguous", "appointment_contradictory", "appointment_in_the_past", "appointment_unclear", "appointment_not_made", "appointment_other_intent", "appointment_in_voicemail", "more_appointments", "appointment_duration_invalid", "number_given_by_caller", "appointment_withdrawn"];

/** The limits of settings. */
export const limits = {
  appointmentDurationMinutes: { min: 1, max: 1440 },
  retentionDays: { min: 30, max: 3650 },
};

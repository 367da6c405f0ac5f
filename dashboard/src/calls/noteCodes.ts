/** How the codes of other calls begin (operations.md, "The error codes"). */
const NOTE_PREFIXES = [
  "fields_left_out",
  "event_refused",
  "activity_",
  "appointment_",
  "more_appointments",
  "kept_by_person",
  "task_taken_off",
  "number_given_by_caller",
  "not_connected",
  "reconnect_required",
];

/** Codes of calls that are logged, or wait for the connection: the list and the card's head say what there is to say. */
export function isNoteCode(code: string): boolean {
  return NOTE_PREFIXES.some((prefix) => code.startsWith(prefix));
}

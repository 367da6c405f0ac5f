/** Prefixes of codes that are not failures (docs/operations.md, "The error codes"). */
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

/**
 * Whether a code belongs to a call that was logged, or that waits for a connection. Such codes are no reason for a call not
 * being logged: the list and the card's header already explain them.
 */
export function isNoteCode(code: string): boolean {
  return NOTE_PREFIXES.some((prefix) => code.startsWith(prefix));
}

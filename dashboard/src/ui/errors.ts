import { ApiError } from "../api/client";
import { texts } from "../texts";

/** The message to show for a failed request. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return texts.problem;
  return texts.problems[error.code] ?? (error.message || texts.problem);
}

export function isAdminRequired(error: unknown): boolean {
  return error instanceof ApiError && error.code === "admin_required";
}

import type { SyncStatus } from "../api/client";
import { ApiError } from "../api/client";
import { useSummary } from "../api/queries";
import { textFor, texts } from "../texts";
import base from "../ui/base.module.css";
import { Skeleton } from "../ui/components";
import css from "./calls.module.css";

const ORDER: string[] = [
  "success",
  "queued",
  "retrying",
  "waiting_for_connection",
  "not_found",
  "error",
  "skipped",
];

/** The last day's calls by status: a bar and the counts. */
export function Summary() {
  const summary = useSummary();
  if (summary.isPending) return <Skeleton height="4.5rem" />;
  if (!summary.data) {
    const isTooMany = summary.error instanceof ApiError && summary.error.code === "too_many_calls";
    return <p className={base.muted}>{isTooMany ? texts.summary.tooMany : texts.stale}</p>;
  }
  const { statuses, total } = summary.data;
  const newer = Object.keys(statuses).filter((status) => !ORDER.includes(status));
  const parts = [...ORDER, ...newer]
    .map((status) => ({ status: status as SyncStatus, count: statuses[status] ?? 0 }))
    .filter(({ count }) => count > 0);
  const words = parts
    .map(({ status, count }) => texts.summary.part(textFor(texts.status, status), count))
    .join(", ");
  return (
    <figure className={css.summary}>
      <figcaption>
        {texts.summary.title}: {texts.summary.total(total)}
      </figcaption>
      <div className={css.bar} role="img" aria-label={texts.summary.chart(words || texts.summary.total(0))}>
        {parts.map(({ status, count }) => (
          <span key={status} data-status={status} style={{ flexGrow: count }} />
        ))}
      </div>
      <ul className={css.legend}>
        {parts.map(({ status, count }) => (
          <li key={status}>
            <span className={css.dot} data-status={status} aria-hidden="true" />
            {texts.summary.part(textFor(texts.status, status), count)}
          </li>
        ))}
      </ul>
      {summary.isError && <p className={base.muted}>{texts.stale}</p>}
    </figure>
  );
}

const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** A time, in the viewer's own words and zone. */
export function Time({ seconds }: { seconds: number }) {
  const date = new Date(seconds * 1000);
  return (
    <time dateTime={date.toISOString()} title={FULL.format(date)}>
      {DATE_TIME.format(date)}
    </time>
  );
}

const NUMBER = new Intl.NumberFormat();

export function formatNumber(number: number): string {
  return NUMBER.format(number);
}

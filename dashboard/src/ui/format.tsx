const DATE_TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

const THIS_YEAR = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
});

/** A time in the viewer's locale and time zone. */
export function Time({
  seconds,
  short,
}: {
  seconds: number;
  /** Omits the current year. */ short?: boolean;
}) {
  const date = new Date(seconds * 1000);
  const format = short && date.getFullYear() === new Date().getFullYear() ? THIS_YEAR : DATE_TIME;
  return (
    <time dateTime={date.toISOString()} title={FULL.format(date)}>
      {format.format(date)}
    </time>
  );
}

const NUMBER = new Intl.NumberFormat();

export function formatNumber(number: number): string {
  return NUMBER.format(number);
}

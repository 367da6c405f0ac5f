import {
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
  type ComponentProps,
  type ReactNode,
} from "react";

import { texts, type Remedy } from "../texts";
import base from "./base.module.css";
import { errorText } from "./errors";
import css from "./components.module.css";

function classNames(...all: (string | false | undefined)[]): string {
  return all.filter(Boolean).join(" ");
}

interface ButtonProps extends ComponentProps<"button"> {
  variant?: "primary" | "danger";
  small?: boolean;
  /** Does nothing when clicked. Unlike a disabled button, it keeps the keyboard focus. */
  inactive?: boolean;
}

export function Button({ variant, small, inactive, className, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      className={classNames(css.button, variant && css[variant], small && css.small, className)}
      aria-disabled={inactive}
      onClick={
        inactive
          ? (event) => {
              event.preventDefault();
            }
          : onClick
      }
      {...rest}
    />
  );
}

/** A coloured message. Set `live` if it appears in response to an action, so that screen readers announce it. */
export function Notice({
  id,
  tone,
  live,
  children,
}: {
  id?: string | undefined;
  tone: "good" | "warn" | "bad" | "plain";
  live?: boolean;
  children: ReactNode;
}) {
  const role = live ? (tone === "bad" ? "alert" : "status") : undefined;
  return (
    <div id={id} className={classNames(css.notice, tone !== "plain" && css[tone])} role={role}>
      {children}
    </div>
  );
}

/** Why a request failed, with an optional button to try again. */
export function ErrorNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  return (
    <Notice tone="bad" live>
      <span>{errorText(error)}</span>
      {onRetry && (
        <span>
          <Button small onClick={onRetry}>
            {texts.tryAgain}
          </Button>
        </span>
      )}
    </Notice>
  );
}

/** What went wrong, and the steps to fix it. */
export function RemedyNotice({ remedy, detail }: { remedy: Remedy; detail?: string | null | undefined }) {
  return (
    <Notice tone="bad" live>
      <strong>{remedy.title}</strong>
      <Steps steps={remedy.steps} />
      {detail && <span className={css.hint}>{detail}</span>}
    </Notice>
  );
}

export function Steps({ steps }: { steps: string[] }) {
  if (steps.length === 1) return <span>{steps[0]}</span>;
  return (
    <ol>
      {steps.map((step) => (
        <li key={step}>{step}</li>
      ))}
    </ol>
  );
}

/** A labelled control with a hint and an error. Spread `inputProps` on the control to associate them. */
export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: string;
  error?: string | undefined;
  children: (inputProps: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
  }) => ReactNode;
}) {
  const id = useId();
  const described = classNames(hint && `${id}-hint`, error && `${id}-error`) || undefined;
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-describedby": described, "aria-invalid": Boolean(error) })}
      {hint && (
        <span id={`${id}-hint`} className={css.hint}>
          {hint}
        </span>
      )}
      {error && (
        <span id={`${id}-error`} className={css.error}>
          {error}
        </span>
      )}
    </div>
  );
}

/** A labelled `<select>`. `options` maps values to labels. */
export function Select<V extends string>({
  label,
  hint,
  error,
  value,
  options,
  disabled,
  onChange,
}: {
  label: string;
  hint?: string;
  error?: string | undefined;
  value: V;
  options: Partial<Record<V, string>>;
  disabled?: boolean;
  onChange: (value: V) => void;
}) {
  return (
    <Field label={label} {...(hint && { hint })} error={error}>
      {(inputProps) => (
        <select
          {...inputProps}
          value={value}
          disabled={disabled}
          onChange={(event) => {
            onChange(event.target.value as V);
          }}
        >
          {(Object.entries(options) as [V, string][]).map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** A modal dialog that asks for confirmation. */
export function Confirm({
  question,
  explanation,
  confirm,
  danger,
  pending,
  error,
  children,
  onConfirm,
  onCancel,
}: {
  question: string;
  explanation: string;
  confirm: string;
  danger?: boolean;
  pending: boolean;
  error: unknown;
  children?: ReactNode;
  onConfirm: () => void;
  onCancel: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // A layout effect closes the dialog before it leaves the DOM; only then does it restore the focus.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={css.dialog}
      aria-labelledby={`${id}-question`}
      aria-describedby={`${id}-explanation`}
      onCancel={(event) => {
        event.preventDefault();
        onCancel();
      }}
    >
      <div className={base.stack}>
        <h3 id={`${id}-question`}>{question}</h3>
        <p id={`${id}-explanation`}>{explanation}</p>
        {children}
        {error !== null && error !== undefined && <ErrorNotice error={error} />}
        <div className={css.actions}>
          <Button onClick={onCancel}>{texts.cancel}</Button>
          <Button variant={danger ? "danger" : "primary"} inactive={pending} onClick={onConfirm}>
            {confirm}
          </Button>
        </div>
      </div>
    </dialog>
  );
}

/** A button that copies a text and confirms it. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [done, setDone] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => {
      setDone(null);
    }, 2500);
    return () => {
      clearTimeout(timer);
    };
  }, [done]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone("copied");
    } catch {
      setDone("failed");
    }
  };
  const label = done === "copied" ? texts.copied : done === "failed" ? texts.copyFailed : texts.copy;
  return (
    <>
      <Button small aria-label={`${texts.copy}: ${what}`} onClick={() => void copy()}>
        {label}
      </Button>
      <span className={base.visuallyHidden} role="status">
        {done ? label : ""}
      </span>
    </>
  );
}

/** Placeholder that reserves space while content loads, to avoid layout shifts. */
export function Skeleton({ height, count = 1 }: { height: string; count?: number }) {
  return (
    <div className={base.stack} role="status" aria-busy="true">
      <span className={base.visuallyHidden}>{texts.loading}</span>
      {Array.from({ length: count }, (_, index) => (
        <div key={index} className={css.skeleton} style={{ height }} />
      ))}
    </div>
  );
}

/** A term and its description, in a `<dl>`. */
export function Detail({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function CodeBlock({ children, label }: { children: string; label: string }) {
  return (
    // Scrollable regions must be keyboard-focusable.
    <pre className={css.code} tabIndex={0} role="region" aria-label={label}>
      {children}
    </pre>
  );
}

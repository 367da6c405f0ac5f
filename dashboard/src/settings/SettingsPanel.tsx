import { useState } from "react";

import { ApiError, type Settings, type SettingsWithETag } from "../api/client";
import { useCardContext } from "../api/context";
import { useSaveSettings, useSettings } from "../api/queries";
import { limits } from "../generated";
import { texts } from "../texts";
import { AdminsOnlyNotice } from "../ui/adminsOnly";
import base from "../ui/base.module.css";
import { Button, ErrorNotice, Field, Notice, Select, Skeleton } from "../ui/components";
import ui from "../ui/components.module.css";
import css from "./settings.module.css";

/** The workspace's settings. */
export function SettingsPanel() {
  const settings = useSettings();
  const save = useSaveSettings();
  return (
    <div className={base.stack}>
      <h3>{texts.settings.title}</h3>
      {settings.isPending ? (
        <Skeleton height="3.6rem" count={5} />
      ) : settings.data ? (
        <>
          <SettingsForm
            stored={settings.data}
            save={save}
            onReload={() => {
              save.reset();
              void settings.refetch();
            }}
          />
          {save.isSuccess && (
            <Notice tone="good" live>
              {texts.settings.saved}
            </Notice>
          )}
        </>
      ) : (
        <ErrorNotice error={settings.error} onRetry={() => void settings.refetch()} />
      )}
    </div>
  );
}

function SettingsForm({
  stored,
  save,
  onReload,
}: {
  stored: SettingsWithETag;
  save: ReturnType<typeof useSaveSettings>;
  onReload: () => void;
}) {
  const { isAdmin } = useCardContext();
  const [draft, setDraft] = useState(stored.settings);
  // Reset the draft when other settings arrive. Not done by `key`: remounting the form would lose the keyboard focus.
  const [draftBase, setDraftBase] = useState(stored);
  if (draftBase.etag !== stored.etag) {
    setDraftBase(stored);
    setDraft(stored.settings);
  }
  const isLocked = isAdmin === false;
  const isChanged = JSON.stringify(draft) !== JSON.stringify(stored.settings);
  const set = <F extends keyof Settings>(field: F, value: Settings[F]) => {
    if (save.isSuccess) save.reset();
    setDraft({ ...draft, [field]: value });
  };
  const fieldErrors = save.error instanceof ApiError ? save.error.fields : [];
  const errorOf = (field: keyof Settings) => fieldErrors.find((error) => error.field === field)?.detail;
  const isConflict = save.error instanceof ApiError && save.error.code === "precondition_failed";

  return (
    <form
      className={base.stack}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(
          { settings: draft, etag: stored.etag },
          {
            // The API normalizes a pasted URL to the My Domain. If nothing else changed, the ETag stays the same, so the
            // draft is not reset above.
            onSuccess: (saved) => {
              setDraft(saved.settings);
            },
          },
        );
      }}
    >
      <AdminsOnlyNotice />
      <fieldset className={css.fields} disabled={isLocked}>
        <legend className={base.visuallyHidden}>{texts.settings.title}</legend>
        <TextField
          label={texts.settings.timeZone}
          hint={texts.settings.timeZoneHint}
          error={errorOf("timeZone")}
          value={draft.timeZone}
          options={TIME_ZONES}
          onChange={(value) => {
            set("timeZone", value);
          }}
        />
        <TextField
          label={texts.settings.defaultCountry}
          hint={texts.settings.defaultCountryHint}
          error={errorOf("defaultCountry")}
          value={draft.defaultCountry}
          onChange={(value) => {
            set("defaultCountry", value.toUpperCase());
          }}
        />
        <Select
          label={texts.settings.matchOrder}
          error={errorOf("matchOrder")}
          value={draft.matchOrder.join(",") as keyof typeof texts.settings.matchOrders}
          options={texts.settings.matchOrders}
          onChange={(value) => {
            set("matchOrder", value.split(",") as Settings["matchOrder"]);
          }}
        />
        <Select
          label={texts.settings.multipleMatches}
          error={errorOf("multipleMatches")}
          value={draft.multipleMatches}
          options={texts.settings.multipleMatchesOptions}
          onChange={(value) => {
            set("multipleMatches", value);
          }}
        />
        <Select
          label={texts.settings.noMatch}
          error={errorOf("noMatch")}
          value={draft.noMatch}
          options={texts.settings.noMatchOptions}
          onChange={(value) => {
            set("noMatch", value);
          }}
        />
        <Select
          label={texts.settings.callTypes}
          error={errorOf("callTypes")}
          // The API may return them in any order; the option keys have a fixed one.
          value={[...draft.callTypes].sort().join(",") as keyof typeof texts.settings.callTypesOptions}
          options={texts.settings.callTypesOptions}
          onChange={(value) => {
            set("callTypes", value.split(",") as Settings["callTypes"]);
          }}
        />
        <NumberField
          label={texts.settings.appointmentDurationMinutes}
          hint={texts.settings.appointmentDurationHint}
          error={errorOf("appointmentDurationMinutes")}
          value={draft.appointmentDurationMinutes}
          {...limits.appointmentDurationMinutes}
          onChange={(value) => {
            set("appointmentDurationMinutes", value);
          }}
        />
        <NumberField
          label={texts.settings.retentionDays}
          hint={texts.settings.retentionHint}
          error={errorOf("retentionDays")}
          value={draft.retentionDays}
          {...limits.retentionDays}
          onChange={(value) => {
            set("retentionDays", value);
          }}
        />
        <TextField
          label={texts.settings.loginUrl}
          hint={texts.settings.loginUrlHint}
          error={errorOf("loginUrl")}
          value={draft.loginUrl ?? ""}
          onChange={(value) => {
            set("loginUrl", value || null);
          }}
        />
        <Checkbox
          label={texts.settings.includeTranscript}
          value={draft.includeTranscript}
          onChange={(value) => {
            set("includeTranscript", value);
          }}
        />
        <Checkbox
          label={texts.settings.useGivenNumber}
          value={draft.useGivenNumber ?? false}
          onChange={(value) => {
            set("useGivenNumber", value);
          }}
        />
      </fieldset>
      {isConflict ? (
        <Notice tone="warn" live>
          <span>{texts.settings.changed}</span>
          <span>
            <Button small onClick={onReload}>
              {texts.settings.reload}
            </Button>
          </span>
        </Notice>
      ) : (
        save.error && <ErrorNotice error={save.error} />
      )}
      <div className={base.row}>
        <Button variant="primary" type="submit" disabled={isLocked} inactive={!isChanged || save.isPending}>
          {save.isPending ? texts.settings.saving : texts.settings.save}
        </Button>
        <Button
          disabled={isLocked}
          inactive={!isChanged || save.isPending}
          onClick={() => {
            save.reset();
            setDraft(stored.settings);
          }}
        >
          {texts.settings.reset}
        </Button>
      </div>
    </form>
  );
}

const TIME_ZONES = ["UTC", ...Intl.supportedValuesOf("timeZone").filter((zone) => zone !== "UTC")];

interface ControlProps<V> {
  label: string;
  hint: string;
  error: string | undefined;
  value: V;
  onChange: (value: V) => void;
}

function TextField({
  label,
  hint,
  error,
  value,
  options,
  onChange,
}: ControlProps<string> & { options?: string[] }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(inputProps) => (
        <>
          <input
            {...inputProps}
            type="text"
            autoComplete="off"
            spellCheck={false}
            list={options && `${inputProps.id}-options`}
            value={value}
            onChange={(event) => {
              onChange(event.target.value);
            }}
          />
          {options && (
            <datalist id={`${inputProps.id}-options`}>
              {options.map((option) => (
                <option key={option} value={option} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

function NumberField({
  label,
  hint,
  error,
  value,
  min,
  max,
  onChange,
}: ControlProps<number> & { min: number; max: number }) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(inputProps) => (
        <input
          {...inputProps}
          type="number"
          min={min}
          max={max}
          // An empty field is NaN, not zero.
          value={Number.isNaN(value) ? "" : value}
          onChange={(event) => {
            onChange(event.target.valueAsNumber);
          }}
        />
      )}
    </Field>
  );
}

function Checkbox({ label, value, onChange }: Pick<ControlProps<boolean>, "label" | "value" | "onChange">) {
  return (
    <label className={ui.check}>
      <input
        type="checkbox"
        checked={value}
        onChange={(event) => {
          onChange(event.target.checked);
        }}
      />
      {label}
    </label>
  );
}

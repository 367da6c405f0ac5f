import { useId, useRef, type KeyboardEvent, type ReactNode } from "react";

import css from "./tabs.module.css";

const ARROW_STEPS: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };

/** Follows the ARIA tabs pattern: only the selected tab is in the tab order, and the arrow keys move between tabs. */
export function Tabs<T extends string>({
  label,
  tabs,
  selected,
  onSelect,
  children,
}: {
  label: string;
  tabs: Record<T, string>;
  selected: T;
  onSelect: (tab: T) => void;
  children: ReactNode;
}) {
  const id = useId();
  const buttons = useRef<Partial<Record<T, HTMLButtonElement | null>>>({});
  const all = Object.keys(tabs) as T[];

  const move = (event: KeyboardEvent) => {
    const index = all.indexOf(selected);
    const ends: Record<string, number> = { Home: 0, End: all.length - 1 };
    const step = ARROW_STEPS[event.key];
    const next = step === undefined ? ends[event.key] : (index + step + all.length) % all.length;
    const tab = next === undefined ? undefined : all[next];
    if (!tab) return;
    event.preventDefault();
    onSelect(tab);
    buttons.current[tab]?.focus();
  };

  return (
    <div>
      <div className={css.tabs} role="tablist" aria-label={label} onKeyDown={move}>
        {all.map((tab) => (
          <button
            key={tab}
            ref={(button) => {
              buttons.current[tab] = button;
            }}
            type="button"
            role="tab"
            id={`${id}-${tab}`}
            aria-selected={tab === selected}
            aria-controls={`${id}-panel`}
            tabIndex={tab === selected ? 0 : -1}
            onClick={() => {
              onSelect(tab);
            }}
          >
            {tabs[tab]}
          </button>
        ))}
      </div>
      <div
        id={`${id}-panel`}
        className={css.panel}
        role="tabpanel"
        aria-labelledby={`${id}-${selected}`}
        tabIndex={0}
      >
        {children}
      </div>
    </div>
  );
}

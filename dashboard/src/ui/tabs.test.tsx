import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { connected, routes, renderCard } from "../testing/mockApi";

test("the tabs are one tab stop, and the arrow keys move between them", async () => {
  renderCard(routes(connected));
  const calls = await screen.findByRole("tab", { name: "Calls" });
  calls.focus();
  await userEvent.keyboard("{ArrowLeft}");
  const settings = screen.getByRole("tab", { name: "Settings" });
  expect(document.activeElement).toBe(settings);
  expect(settings.getAttribute("aria-selected")).toBe("true");
  await userEvent.keyboard("{Home}");
  expect(calls.getAttribute("aria-selected")).toBe("true");
  expect(screen.getAllByRole("tab").filter(({ tabIndex }) => tabIndex === 0)).toEqual([calls]);
});

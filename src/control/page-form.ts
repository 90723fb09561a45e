import { type Html, html } from "./html.js";
import { type Outcome, outcomes, pageActions } from "./stats-actions.js";

/** A page that acts. */
export interface Acting {
  /** Where its forms are sent. */
  readonly path: string;
  /** By which a form is known for this page's. */
  readonly token: string;
}

export function renderOutcome(outcome: Outcome): Html {
  const colour = outcome === "DONE" ? "ok" : outcome === "NONE" ? "dim" : "bad";
  return html`<p class="card outcome ${colour}" role="status"><strong>${outcome}</strong> ${outcomes[outcome]}</p>\n`;
}

/** Around a proxy's table: what is marked in it, and what is to be done to that. `proxyId`: HAProxy's number. */
export function renderForm({ path, token }: Acting, proxyId: number, table: Html): Html {
  return html`<form method="post" action="${path}">
${table}<p class="act"><label>Action on the marked servers <select name="action"><option value=""></option>${Object.entries(
    pageActions,
  ).map(([name, text]) => html`<option value="${name}">${text}</option>`)}</select></label>
<input type="hidden" name="b" value="#${proxyId}"><input type="hidden" name="token" value="${token}">
<button type="submit">Apply</button></p>
</form>
`;
}

/** In front of a server's name. */
export function renderMark(server: string): Html {
  return html`<input type="checkbox" name="s" value="${server}" aria-label="${server}"> `;
}

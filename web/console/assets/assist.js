// Suggestions beside the composer: what is chosen goes into it without a reload, and they follow the talk without taking anything away from who
// works with them. Without this script the same buttons are forms.
(() => {
  "use strict";
  const doc = document;
  const $ = (sel, from = doc) => from.querySelector(sel);
  const $$ = (sel, from = doc) => [...from.querySelectorAll(sel)];

  // A source in the composer, which can be dropped: the words stay, and no longer name it.
  function cite({ used, text, title }) {
    const box = $("#cites");
    if (!box) return;
    const chip = doc.createElement("span");
    chip.className = "chip";
    Object.assign(chip.dataset, { used, text, title });
    for (const [name, value] of [["used", used], ["used_text", text]]) {
      const el = doc.createElement("input");
      el.type = "hidden"; el.name = name; el.value = value;
      chip.append(el);
    }
    const words = doc.createElement("span"), drop = doc.createElement("button");
    words.textContent = box.dataset.word + " " + title;
    drop.type = "button"; drop.textContent = "\u00d7"; drop.setAttribute("aria-label", box.dataset.drop + ": " + title);
    drop.addEventListener("click", () => { chip.remove(); $("#composer-text")?.focus(); });
    chip.append(words, drop);
    box.append(chip);
  }
  doc.addEventListener("assist:restore", e => { if (!$("#cites [data-used]")) for (const one of e.detail) cite(one); });

  doc.addEventListener("click", e => {
    const button = e.target.closest?.("button[data-insert]");
    if (!button || !$("#composer-text")) return; // without a composer the form goes to a page that has one
    e.preventDefault();
    const form = button.form, values = new URLSearchParams(new FormData(form));
    for (const el of $$('input[name="used"]', form)) cite({ used: el.value, text: button.dataset.insert, title: el.dataset.title });
    doc.dispatchEvent(new CustomEvent("composer:insert", { detail: button.dataset.insert }));
    values.set("quiet", "1");
    fetch(form.action, { method: "POST", body: values, credentials: "same-origin" }).catch(() => {}); // what is sent is recorded with it
  });

  // A proposed question becomes a line of the article's.
  doc.addEventListener("click", e => {
    const button = e.target.closest?.("button[data-take]"), area = $("#e-questions");
    if (!button || !area) return;
    area.value = (area.value.trim() ? area.value.trim() + "\n" : "") + button.dataset.take;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    button.closest("li").remove();
  });

  // The citizen has written: suggest for that, unless somebody is at work in the panel.
  doc.addEventListener("assist:asked", e => {
    const panel = $("#suggest");
    if (!panel || !e.detail || e.detail === "0" || e.detail === panel.dataset.asked) return;
    panel.dataset.asked = e.detail;
    const busy = panel.contains(doc.activeElement) || $("details[open]", panel) || $('input[type="search"]', panel).value;
    $("#assist-newer").hidden = !busy;
    if (!busy) htmx.ajax("GET", panel.dataset.url, { target: "#suggestions", swap: "innerHTML" });
  });
  doc.addEventListener("htmx:afterSwap", e => {
    if (e.detail.target.id !== "suggestions") return;
    $("#suggestions > .alert")?.scrollIntoView({ block: "nearest" }); // what was done below it is said here
    const newer = $("#assist-newer");
    if (newer?.contains(e.detail.requestConfig?.elt)) newer.hidden = true;
  });
})();

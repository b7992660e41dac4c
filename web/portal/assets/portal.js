// What makes the pages nicer where scripts run. Every page works without it.
"use strict";
document.documentElement.classList.add("scripted");

// The error summary is read out and stands in view.
document.querySelector("[data-focus]")?.focus();

// Suggestions while typing a search.
for (const input of document.querySelectorAll("[data-suggest]")) {
  const list = document.getElementById(input.getAttribute("list"));
  let timer;
  let last = "";
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const q = input.value.trim();
      if (q.length < 2 || q === last) return;
      last = q;
      try {
        const r = await fetch(input.dataset.suggest + "?q=" + encodeURIComponent(q));
        if (!r.ok || input.value.trim() !== q) return;
        list.replaceChildren(...(await r.json()).map((title) => {
          const option = document.createElement("option");
          option.value = title;
          return option;
        }));
      } catch {
        // suggestions are a convenience
      }
    }, 200);
  });
}

// The device's position, only after the person asked for it.
for (const button of document.querySelectorAll("[data-locate]")) {
  const status = document.getElementById("locate-status");
  if (!navigator.geolocation) {
    button.hidden = true;
    continue;
  }
  button.addEventListener("click", () => {
    status.textContent = button.dataset.finding;
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      document.getElementById("lat").value = coords.latitude.toFixed(6);
      document.getElementById("lon").value = coords.longitude.toFixed(6);
      status.textContent = button.dataset.found;
    }, () => {
      status.textContent = button.dataset.failed;
    }, { enableHighAccuracy: true, timeout: 15000 });
  });
}

// How many characters are left, told when it matters.
for (const area of document.querySelectorAll("[data-count]")) {
  const most = Number(area.dataset.count);
  const note = document.createElement("p");
  note.className = "count";
  note.setAttribute("role", "status");
  area.after(note);
  const show = () => {
    const left = most - [...area.value].length;
    note.textContent = left < 500 ? area.dataset.countWords.replace("#", left) : "";
  };
  area.addEventListener("input", show);
  show();
}

for (const button of document.querySelectorAll("[data-copy-from]")) {
  button.addEventListener("click", async () => {
    const from = document.getElementById(button.dataset.copyFrom);
    const status = document.querySelector(".copy-status");
    try {
      await navigator.clipboard.writeText(from.dataset.copy);
      status.textContent = button.dataset.copied;
    } catch {
      getSelection().selectAllChildren(from); // not allowed to write: then it is at least selected
    }
  });
}

for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());

// A second press while the first is on its way does nothing. The server would make one of them anyway.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (e) => {
    if (form.dataset.sent) e.preventDefault();
    form.dataset.sent = "1";
  });
}
addEventListener("pageshow", () => document.querySelectorAll("form[data-once]").forEach((form) => delete form.dataset.sent));

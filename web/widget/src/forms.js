// Controls for what the other side asks for, inside the conversation. Each sends an ordinary message, so that nothing depends on the control.
function contactForm(t, send) {
  const name = h("input", { type: "text", id: "hc-name", autocomplete: "name", maxlength: "80" });
  const reach = h("input", { type: "text", id: "hc-reach", autocomplete: "tel", maxlength: "120", "aria-describedby": "hc-reach-error" });
  const error = h("p", { class: "form-error", id: "hc-reach-error", role: "alert", hidden: true });
  return h("form", { class: "slot", novalidate: true, onsubmit: (e) => {
    e.preventDefault();
    const to = reach.value.trim();
    const good = /^\S+@\S+\.\S+$/.test(to) || to.replace(/\D/g, "").length >= 7;
    error.hidden = good;
    if (!good) {
      error.textContent = t("contact_error");
      reach.setAttribute("aria-invalid", "true");
      reach.focus();
      return;
    }
    send({ text: [name.value.trim(), to].filter(Boolean).join(", ") });
  } },
  h("label", { for: "hc-name" }, t("contact_name")), name,
  h("label", { for: "hc-reach" }, t("contact_reach")), error, reach,
  h("button", { type: "submit", class: "primary" }, t("contact_send")));
}

// placeControl offers the device's own position. It is asked for only after a tap, and the typed place always works as well.
function placeControl(t, send) {
  if (!navigator.geolocation) return null;
  const note = h("p", { class: "form-note", role: "status" });
  const button = h("button", { type: "button", class: "choice", onclick: () => {
    button.disabled = true;
    note.textContent = t("place_finding");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        note.textContent = "";
        const lat = Number(coords.latitude.toFixed(6));
        const lon = Number(coords.longitude.toFixed(6));
        send({ text: t("place_shared"), place: { lat, lon, label: "" } });
      },
      () => {
        button.disabled = false;
        note.textContent = t("place_failed");
      },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
    );
  } }, icon("pin"), t("place_use"));
  return h("div", { class: "slot-line" }, button, note);
}

const GRADES = [5, 4, 3, 2, 1];

function ratingCard(t, done) {
  const card = h("div", { class: "slot rating", role: "group", "aria-label": t("rate_title") },
    h("p", { class: "head" }, t("rate_title")),
    h("div", { class: "grades" }, GRADES.map((grade) => h("button", { type: "button", class: "choice", onclick: () => done(grade) }, gradeLabel(t, grade)))),
    h("button", { type: "button", class: "plain", onclick: () => done(0) }, t("rate_skip")));
  return card;
}

function gradeLabel(t, grade) {
  return [h("span", { class: "stars", "aria-hidden": "true" }, "★".repeat(grade) + "☆".repeat(5 - grade)), t("rate_" + grade)];
}

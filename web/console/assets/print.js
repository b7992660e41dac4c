// The button of a printed sheet; without scripts the browser's own does the same.
for (const button of document.querySelectorAll("[data-print]")) { button.hidden = false; button.addEventListener("click", () => print()); }

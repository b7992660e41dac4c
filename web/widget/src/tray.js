// The files that are about to be sent: preview, progress, remove, try again.
class Tray {
  constructor({ t, transport, limits, changed, say }) {
    Object.assign(this, { t, transport, limits, changed, say });
    this.items = [];
    this.el = h("ul", { class: "tray", "aria-label": t("files"), hidden: true });
  }

  add(files) {
    for (const file of files) {
      const { files: most, file: bytes } = this.limits;
      if (this.items.length >= most) {
        this.say(this.t("files_many", { n: most }));
        break;
      }
      if (file.size > bytes) {
        this.say(this.t("file_large", { name: file.name, size: sizeText(bytes) }));
        continue;
      }
      const item = { file, state: "waiting", progress: 0, id: null };
      this.items.push(item);
      this.show(item);
      this.upload(item);
    }
    this.update();
  }

  show(item) {
    item.bar = h("progress", { max: "1", value: "0", "aria-label": this.t("uploading", { name: item.file.name }) });
    item.note = h("span", { class: "file-note" });
    item.again = h("button", { type: "button", class: "plain", hidden: true, onclick: () => this.upload(item) }, this.t("retry"));
    item.el = h("li", null, this.preview(item.file), h("span", { class: "file-name" }, item.file.name), item.bar, item.note, item.again,
      h("button", { type: "button", class: "icon-button small", "aria-label": this.t("remove", { name: item.file.name }), onclick: () => this.remove(item) }, icon("close")));
    this.el.append(item.el);
  }

  preview(file) {
    if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type)) return icon("file");
    const url = URL.createObjectURL(file);
    const img = h("img", { src: url, alt: "", onload: () => URL.revokeObjectURL(url) });
    img.onerror = () => img.replaceWith(icon("file")); // a page's policy may forbid blob: pictures
    return img;
  }

  async upload(item) {
    if (!this.transport.token || this.transport.state === "offline") {
      item.state = "waiting";
      item.note.textContent = this.t("file_waiting");
      return;
    }
    item.state = "sending";
    item.again.hidden = true;
    item.note.textContent = "";
    item.bar.hidden = false;
    const going = this.transport.upload(item.file, (p) => (item.bar.value = p));
    item.abort = going.abort;
    try {
      const stored = await going.done;
      Object.assign(item, { id: stored.id, stored, state: "done" });
      item.bar.hidden = true;
      item.note.textContent = this.t("file_ready");
    } catch (problem) {
      item.state = "failed";
      item.bar.hidden = true;
      item.note.textContent = problem.detail || this.t("file_failed");
      item.again.hidden = Boolean(problem.code) && problem.status < 500;
      this.say(item.note.textContent);
    }
    this.update();
  }

  resume() {
    for (const item of this.items) if (item.state === "waiting") this.upload(item);
  }

  remove(item) {
    if (item.abort && item.state === "sending") item.abort();
    this.items = this.items.filter((i) => i !== item);
    item.el.remove();
    this.update();
    this.changed(true);
  }

  get busy() {
    return this.items.some((i) => i.state === "sending" || i.state === "waiting");
  }

  // take gives the stored files and empties the tray. Those that failed stay to be seen.
  take() {
    const ready = this.items.filter((i) => i.state === "done");
    this.items = this.items.filter((i) => i.state !== "done");
    for (const i of ready) i.el.remove();
    this.update();
    return ready.map((i) => i.stored);
  }

  update() {
    this.el.hidden = this.items.length === 0;
    this.changed(false);
  }
}

function sizeText(n) {
  return n < 1048576 ? Math.ceil(n / 1024) + " KB" : (n / 1048576).toFixed(n % 1048576 ? 1 : 0) + " MB";
}

// The way to the server: a socket that comes back by itself and replays from the last seq, or plain HTTP where sockets do not get through.
// What a person wrote stays in the outbox until the server has acknowledged it; its ref makes sending it twice harmless. One message is under way at a time, so
// what the server refuses for now is never overtaken by what was written after it.
const PROTOCOL = "hotline.chat.v1";
const GOODBYE = 1000;
const RESTART = 4000; // this server stops, another answers: come back at once
const TOO_MUCH = 4029;
const UNKNOWN_TOKEN = 4401;
const SILENCE = 20000; // longer than the server takes for anything: whoever hears nothing that long after a message is not connected

// final tells close codes after which the same would happen again.
function final(code) {
  return [1002, 1003, 1007, 1008, 1009, 1010].includes(code) || (code >= 4400 && code <= 4499);
}

class Transport {
  constructor({ base, site, store, lang, on }) {
    Object.assign(this, { base, site, store, lang, on });
    this.after = 0;
    this.outbox = new Outbox(store, (ref) => this.elsewhere(ref));
    this.state = "idle";
    this.failures = 0;
    this.sockets = 0; // attempts in a row that never reached a welcome
    this.inflight = ""; // ref of the message that is under way
    this.resting = false; // the server named a time to come back
    this.slowed = false; // the server takes no more just now; what is written waits
    this.silence = SILENCE;
    addEventListener("online", () => this.hurry());
    addEventListener("offline", () => this.setState("offline"));
    addEventListener("pagehide", () => this.drop());
    addEventListener("pageshow", (e) => e.persisted && this.hurry());
  }

  get token() {
    return this.store.get("token", null);
  }

  start() {
    if (this.state === "idle") this.connect();
  }

  setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.on.state(state);
  }

  connect() {
    clearTimeout(this.timer);
    if (this.socket || this.state === "stopped") return;
    if (navigator.onLine === false) return this.setState("offline");
    if (this.sockets >= 3 || typeof WebSocket === "undefined") return this.poll();
    this.setState(this.failures ? "offline" : "connecting");
    this.sockets++;
    let socket;
    try {
      socket = new WebSocket(this.base.replace(/^http/, "ws") + "/chat/v1/socket", PROTOCOL);
    } catch {
      return this.later();
    }
    this.socket = socket;
    const slow = setTimeout(() => socket.close(), 15000);
    socket.onopen = () => this.frame({ t: "hello", site: this.site, token: this.token || undefined, after: this.after, lang: this.lang });
    socket.onmessage = (e) => {
      let f;
      try {
        f = JSON.parse(e.data);
      } catch {
        return;
      }
      if (f.t === "welcome") clearTimeout(slow);
      this.receive(f);
    };
    socket.onclose = (e) => {
      clearTimeout(slow);
      if (this.socket !== socket) return;
      this.socket = null;
      this.inflight = "";
      if (e.code === GOODBYE) return this.setState("idle"); // the next message connects again
      if (e.code === UNKNOWN_TOKEN && this.token) {
        this.store.clear(); // the token is none any more: begin anew
        this.after = 0;
        this.on.reset();
        return this.later();
      }
      if (final(e.code)) return this.setState("stopped");
      this.slow(e.code === TOO_MUCH);
      this.later(e.code === RESTART ? 300 : e.code === TOO_MUCH ? 30000 : 0);
    };
  }

  // later comes back after a growing, random pause, so that a restarted server is not met by everybody at once.
  later(known) {
    this.failures++;
    this.setState("offline");
    const pause = Math.random() * (known || Math.min(30000, 500 * 2 ** Math.min(this.failures, 7))) + (known > 1000 ? known : 200);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect(), pause);
  }

  hurry() {
    if (this.state === "idle" || this.state === "stopped" || this.socket) return;
    clearTimeout(this.timer);
    this.sockets = Math.min(this.sockets, 2);
    this.connect();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    this.inflight = ""; // nobody will hear of it on this socket any more
    clearTimeout(this.timer);
    if (socket) socket.close(1000);
    if (this.state !== "idle" && this.state !== "stopped") this.state = "offline";
  }

  // watch leaves a socket on which a message was sent and nothing came back: the network is gone, and a browser may take minutes to notice.
  watch() {
    clearTimeout(this.watching);
    if (!this.inflight) return;
    this.watching = setTimeout(() => {
      const socket = this.socket;
      if (!socket || !this.inflight) return;
      this.socket = null;
      this.inflight = "";
      socket.close();
      this.later();
    }, this.silence);
  }

  // moving: what is written goes out at once.
  get moving() {
    return !this.slowed && ["online", "polling", "connecting", "idle"].includes(this.state);
  }

  slow(yes) {
    if (this.slowed === yes) return;
    this.slowed = yes;
    this.on.slow();
  }

  frame(f) {
    if (this.socket && this.socket.readyState === 1) {
      this.socket.send(JSON.stringify(f));
      return true;
    }
    return false;
  }

  receive(f) {
    switch (f.t) {
      case "welcome":
        this.failures = this.sockets = 0;
        if (f.token) this.store.set("token", f.token);
        this.setState("online");
        this.on.welcome(f);
        this.adopt();
        if (!this.outbox.items.length) this.slow(false);
        this.flush();
        break;
      case "message":
        if (f.seq <= this.after) return;
        this.after = f.seq;
        this.on.message(f);
        break;
      case "ack":
        this.acked(f.ref, f.seq);
        break;
      case "error":
        if (f.ref) this.refuse(f.ref, f);
        else this.on.error(f);
        break;
      case "typing":
      case "partial":
      case "seen":
      case "holder":
        this.on[f.t](f);
    }
    this.watch();
  }

  send(message) {
    const item = { ref: newRef(), ...message };
    this.outbox.add(item);
    if (this.state === "idle") this.connect();
    this.flush();
    return item;
  }

  flush() {
    if (this.state === "polling") return this.round();
    const next = this.outbox.items[0];
    if (this.state !== "online" || this.inflight || this.resting || !next) return;
    if (this.frame({ t: "send", ...frameOf(next) })) this.inflight = next.ref;
    this.watch();
  }

  // adopt shows what another tab left.
  adopt() {
    for (const item of this.outbox.adopt()) this.on.adopted(item);
  }

  // elsewhere: another tab had the answer to a message that waits here too.
  elsewhere(ref) {
    this.on.gone(ref); // where it is under way here as well, its answer finds nothing left to do
    this.flush();
  }

  acked(ref, seq) {
    this.forget(ref);
    this.slow(false);
    this.on.ack(ref, seq);
    this.flush();
  }

  // refuse handles an answer to one message. What will never be accepted leaves the outbox; the rest is tried again.
  refuse(ref, problem) {
    if (problem.retry) {
      if (this.inflight === ref) this.inflight = "";
      if (problem.code === "chat.rate_limited") this.slow(true);
      this.resting = true;
      setTimeout(() => {
        this.resting = false;
        this.flush();
      }, problem.retry * 1000 * (1 + Math.random()));
      return;
    }
    this.forget(ref);
    this.on.refused(ref, problem);
    this.flush();
  }

  forget(ref) {
    if (this.inflight === ref) this.inflight = "";
    this.outbox.remove(ref);
  }

  // --- plain HTTP ---

  poll() {
    this.setState("polling");
    this.round();
    clearTimeout(this.back);
    this.back = setTimeout(() => {
      if (this.state === "polling") {
        this.sockets = 2;
        this.setState("connecting");
        this.connect();
      }
    }, 60000);
  }

  query() {
    return "site=" + encodeURIComponent(this.site) + "&lang=" + encodeURIComponent(this.lang);
  }

  async http(method, path, body) {
    const headers = { Accept: "application/json" };
    if (this.token) headers.Authorization = "Bearer " + this.token;
    if (body) headers["Content-Type"] = "application/json";
    const join = path.includes("?") ? "&" : "?";
    const r = await fetch(this.base + "/chat/v1" + path + join + this.query(), {
      method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store",
    });
    const type = r.headers.get("Content-Type") || "";
    const data = type.includes("json") ? await r.json() : {};
    return { ok: r.ok, status: r.status, data };
  }

  async round() {
    if (this.rounding || this.state !== "polling") return;
    this.rounding = true;
    clearTimeout(this.timer);
    try {
      if (!this.token) {
        const { ok, data } = await this.http("POST", "/token");
        if (ok) this.store.set("token", data.token);
      }
      this.adopt();
      for (const item of [...this.outbox.items]) {
        if (this.resting) break;
        if (!this.outbox.has(item.ref)) continue;
        const { ok, status, data } = await this.http("POST", "/messages", frameOf(item));
        if (ok) this.acked(item.ref, data.seq);
        else if (status < 500 && status !== 429) this.refuse(item.ref, { code: data.code, message: data.detail });
        else {
          this.slow(status === 429);
          break;
        }
      }
      let more = Boolean(this.token);
      while (more) {
        const { ok, data } = await this.http("GET", "/messages?after=" + this.after);
        if (!ok) break;
        this.on.holder(data);
        for (const m of data.messages || []) this.receive({ ...m, t: "message" });
        if (data.staff_seen) this.on.seen({ seq: data.staff_seen, by: "staff" });
        more = data.more && data.messages.length > 0;
      }
      this.failures = 0;
      this.on.reachable(true);
    } catch {
      this.failures++;
      this.on.reachable(false);
    }
    this.rounding = false;
    this.timer = setTimeout(() => this.round(), Math.min(30000, 3000 * 2 ** Math.min(this.failures, 4)));
  }

  async config(lang) {
    const r = await fetch(this.base + "/chat/v1/config?site=" + encodeURIComponent(this.site) + "&lang=" + encodeURIComponent(lang), { credentials: "omit" });
    if (!r.ok) throw new Error("config " + r.status);
    return r.json();
  }

  // upload sends one file; progress is told between 0 and 1. XMLHttpRequest, because fetch cannot tell it.
  upload(file, progress) {
    const request = new XMLHttpRequest();
    const done = new Promise((resolve, reject) => {
      request.open("POST", this.base + "/chat/v1/uploads?" + this.query());
      if (this.token) request.setRequestHeader("Authorization", "Bearer " + this.token);
      request.responseType = "json";
      request.upload.onprogress = (e) => e.lengthComputable && progress(e.loaded / e.total);
      request.onload = () => (request.status < 300 && request.response ? resolve(request.response) : reject(request.response || {}));
      request.onerror = request.onabort = () => reject({});
      const form = new FormData();
      form.append("file", file, file.name);
      request.send(form);
    });
    return { done, abort: () => request.abort() };
  }

  async file(id) {
    const r = await fetch(this.base + "/chat/v1/uploads/" + encodeURIComponent(id) + "?" + this.query(), { headers: { Authorization: "Bearer " + this.token }, credentials: "omit" });
    if (!r.ok) throw new Error("upload " + r.status);
    return r.blob();
  }
}

function newRef() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  const x = Array.from(b, (v) => v.toString(16).padStart(2, "0")).join("");
  return [x.slice(0, 8), x.slice(8, 12), x.slice(12, 16), x.slice(16, 20), x.slice(20)].join("-");
}

// Improvements the pages can do without. No inline handlers: the policy forbids them.
const body = document.body;
const text = (key) => body.dataset[key] || "";
// ── Words stay with the browser until they are saved ─────────────────────────────────────────────────────────────────
const keeps = (form) => form.method === "post" && !("noKeep" in form.dataset) && form.querySelector("textarea, input[type=text], input:not([type])");
const keyOf = (form) => {  // of one address its query tells whose form it is, the form's own or the page's
  const at = new URL(form.action, location);
  return `words:${body.dataset.user}:${at.pathname}${at.search || location.search}`;
};
const kept = {
  read(key) { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } },
  write(key, value) { try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden */ } },
};
// Files went up when they were chosen: what is kept of them is their key. The customer's name is kept beside its number.
const draftsOf = (form) => [...form.querySelectorAll("[data-files]")].flatMap((part) => [...part.querySelectorAll(".draft input[name=files]")]
  .map((one) => [part.dataset.purpose, one.value, one.parentElement.querySelector("span")?.textContent || ""]));
const showDraft = (form, [purpose, key, name]) => {
  const part = [...form.querySelectorAll("[data-files]")].find((one) => one.dataset.purpose === purpose);
  if (!part || form.querySelector(`input[name=files][value="${CSS.escape(key)}"]`)) return;
  const line = document.createElement("div"), input = document.createElement("input"), label = document.createElement("span");
  line.className = "draft"; input.type = "hidden"; input.name = "files"; input.value = key; label.textContent = name;
  line.append(input, label);
  part.querySelector(".drafts").append(line);
};
const wordsOf = (form) => [...form.elements]
  .filter((one) => one.name && !["hidden", "file", "password", "submit", "button"].includes(one.type))
  .map((one) => [one.name, one.type === "checkbox" || one.type === "radio" ? one.checked : one.value, one.value]);

const forgetSaved = () => {
  const saved = body.dataset.saved;
  if (!saved) return;
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("words:") && kept.read(key)?.id === saved) sessionStorage.removeItem(key);
};

const restore = (form) => {
  const key = keyOf(form), stored = kept.read(key);
  if (!stored || form.querySelector(".is-invalid, .theirs") || document.querySelector("#wrong")) return;
  let changed = false;
  for (const [name, value, own] of stored.words) {
    for (const one of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
      if (one.type === "hidden") continue;
      if (one.type === "checkbox" || one.type === "radio") { if (one.value === own && one.checked !== value) { one.checked = value; changed = true; } }
      else if (one.value !== value && (one.tagName !== "SELECT" || [...one.options].some((o) => o.value === value))) { one.value = value; changed = true; }
    }
  }
  for (const draft of stored.drafts || []) showDraft(form, draft);
  if (!changed && !stored.drafts?.length) return;
  const note = document.createElement("div");
  note.className = "alert alert-info restored";
  note.setAttribute("role", "status");
  note.append(`${text("restored")} `);
  const discard = document.createElement("button");
  discard.type = "button"; discard.className = "btn btn-sm btn-link"; discard.textContent = text("discard");
  discard.addEventListener("click", () => { sessionStorage.removeItem(key); location.reload(); });
  note.append(discard);
  form.prepend(note);
  form.dispatchEvent(new Event("restored", { bubbles: true }));
};

const keepWords = () => {
  forgetSaved();
  for (const form of document.forms) {
    if (!keeps(form)) continue;
    restore(form);
    const keep = () => kept.write(keyOf(form), { id: form.elements.request_id?.value, words: wordsOf(form), drafts: draftsOf(form), customer: form.querySelector("#customer-pick")?.selectedOptions[0]?.textContent });
    form.addEventListener("input", keep);
    form.addEventListener("change", keep);
    form.addEventListener("submit", keep);
  }
};

// ── Forms ────────────────────────────────────────────────────────────────────────────────────────────────────────────
addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest?.("form");
    (form?.querySelector("button.btn-primary") || form?.querySelector("button:not([type=button])"))?.click();
  }
});
addEventListener("submit", (event) => {   // a double click sends once; the server would take it once anyway
  const form = event.target;
  if (form.method === "dialog" || event.submitter?.formTarget === "_blank") return;  // what opens beside it changes nothing
  if (form.querySelector(".draft-going")) {  // it goes once the files are there
    event.preventDefault(); event.stopImmediatePropagation();
    form.waiting = event.submitter; form.setAttribute("aria-busy", "true");
    return;
  }
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 8000);
});
addEventListener("pageshow", () => { for (const form of document.forms) delete form.dataset.sent; });

// What only some values of a field ask for: `data-of` names the field, `data-values` says which.
const showParts = () => {
  for (const part of document.querySelectorAll("[data-of]")) {
    const form = part.closest("form"), field = form.elements[part.dataset.of];
    const show = () => { part.hidden = !part.dataset.values.split(" ").includes(field.value); };
    field.addEventListener("change", show);
    form.addEventListener("restored", show);
    show();
  }
};

// ── Files go up as soon as they are chosen ───────────────────────────────────────────────────────────────────────────
const once = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const sendFile = async (part, file, token) => {
  const data = new FormData();
  data.append("file", file); data.append("purpose", part.dataset.purpose);
  data.append("request_id", once()); data.append("csrf_token", token);
  const line = document.createElement("div");
  line.className = "draft draft-going"; line.textContent = `… ${file.name}`;
  part.querySelector(".drafts").append(line);
  try {
    const answer = await fetch("/files", { method: "POST", body: data });
    if (answer.ok && !answer.redirected) line.outerHTML = await answer.text();
    else { line.className = "wrong"; line.textContent = answer.status === 422 ? await answer.text() : text("failed"); }
  } catch { line.className = "wrong"; line.textContent = text("failed"); }
};
addEventListener("change", async (event) => {
  const part = event.target.closest?.("[data-files]");
  if (!part || event.target.type !== "file") return;
  const token = event.target.form.elements.csrf_token.value, files = [...event.target.files];
  event.target.value = "";
  await Promise.all(files.map((file) => sendFile(part, file, token)));
  part.dispatchEvent(new Event("input", { bubbles: true }));
  const form = part.closest("form"), submitter = form.waiting;
  if (submitter === undefined || form.querySelector(".draft-going")) return;
  delete form.waiting; form.removeAttribute("aria-busy");
  if (!form.querySelector("[data-files] .wrong")) form.requestSubmit(submitter);
});
addEventListener("click", (event) => { event.target.closest?.("[data-drop-draft]")?.closest(".draft").remove(); });

// ── The customer, by type-ahead ──────────────────────────────────────────────────────────────────────────────────────
const lookUpCustomers = () => {
  const place = document.querySelector("[data-lookup]");
  if (!place || !window.TomSelect) return;
  const input = place.querySelector("#customer_q"), chosen = place.querySelector("[name=customer]");
  const select = document.createElement("select");
  select.name = "customer"; select.id = "customer-pick"; select.setAttribute("aria-label", place.querySelector("label").firstChild.textContent.trim());
  if (chosen) select.append(new Option(chosen.dataset.text, chosen.value, true, true));
  chosen?.remove();
  input.replaceWith(select);
  place.querySelector("label").htmlFor = "customer-pick-ts-control";
  place.querySelector(".no-js")?.remove();
  for (const other of place.parentElement.querySelectorAll("[type=radio][name=customer]")) other.addEventListener("change", () => fetchPart(other.value));
  const row = (one, escape) => `<div><strong>${escape(one.text)}</strong> <span class="quiet">${escape(one.full || "")} ${escape(one.code || "")}</span> <span class="cover cover-${escape(one.coverage || "")}">${escape(one.said || "")} ${escape(one.until || "")}</span></div>`;
  const fetchPart = async (number) => {
    const part = document.querySelector("#customer-part");
    if (!part) return place.closest("form").requestSubmit();  // nothing but the customer is asked for
    const query = new URLSearchParams({ customer: number });
    for (const one of part.querySelectorAll("input, textarea, select")) if (one.value && !["contact", "installation"].includes(one.name)) query.append(one.name, one.value);
    const answer = await fetch(`${place.dataset.part}?${query}`);
    if (answer.ok && !answer.redirected) part.outerHTML = await answer.text();
  };
  const again = async () => {  // after an ended log-in: the customer too, and what was typed beside it
    const stored = kept.read(keyOf(place.closest("form"))), number = stored?.words.find(([name, value]) => name === "customer" && value)?.[1];
    if (!number || select.value || document.querySelector("#wrong")) return;
    pick.addOption({ value: number, text: stored.customer || number });
    pick.setValue(number, true);
    await fetchPart(number);
    for (const [name, value] of stored.words) { const one = document.querySelector(`#customer-part [name="${CSS.escape(name)}"]`); if (one && value && one.type !== "checkbox") one.value = value; }
  };
  const pick = new TomSelect(select, {
    valueField: "value", labelField: "text", searchField: [], maxItems: 1, maxOptions: 20, create: false,
    placeholder: place.dataset.placeholder, loadThrottle: 200, score: () => () => 1,
    load: (query, done) => fetch(`${place.dataset.lookup}?q=${encodeURIComponent(query)}${"mine" in place.dataset ? "&mine=1" : ""}`).then((a) => a.json()).then(done).catch(() => done()),
    onType() { this.clearOptions(); }, onChange(value) { if (value) fetchPart(value); },
    render: { option: row, item: (one, escape) => `<div>${escape(one.text)}</div>`, no_results: () => `<div class="no-results">${place.dataset.none} <a href="/customers/new">${place.dataset.new}</a></div>` },
  });
  again();
};

// In a filter words are enough; names that fit are offered while one types.
const suggest = (input) => {
  const list = document.createElement("datalist");
  let waiting;
  list.id = `${input.name}-fitting`;
  input.setAttribute("list", list.id);
  input.after(list);
  const ask = async () => {
    try {
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(input.value.trim())}`);
      if (answer.ok && !answer.redirected) list.replaceChildren(...(await answer.json()).map((one) => new Option(`${one.value} ${one.full}`, one.text)));
    } catch { /* the next letter */ }
  };
  input.addEventListener("input", () => { clearTimeout(waiting); if (input.value.trim()) waiting = setTimeout(ask, 200); });
};
for (const input of document.querySelectorAll("[data-suggest]")) suggest(input);

// ── Small things ─────────────────────────────────────────────────────────────────────────────────────────────────────
addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (!button) return;
  try { await navigator.clipboard.writeText(button.dataset.copy); button.title = text("copied"); button.classList.add("copied"); setTimeout(() => button.classList.remove("copied"), 1500); } catch { /* no clipboard here */ }
});
addEventListener("click", (event) => { if (event.target.closest?.("[data-print]")) print(); });
const openTarget = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  target.querySelector("textarea, input:not([type=hidden]):not([type=file]), select")?.focus({ preventScroll: true });
  target.scrollIntoView({ block: "start" });
};
addEventListener("hashchange", openTarget);
// On a phone chosen filters are folded, above what they found.
for (const fold of document.querySelectorAll(".filter-fold")) {
  if (matchMedia("(max-width: 575px)").matches) fold.open = false;
  fold.dataset.ready = "";
}

// ── The keyboard: one key, or g and another, unless one is typing; ? shows them; they can be turned off ─────────────
const typing = (event) => event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey;
const sheet = document.querySelector("#keys"), on = document.querySelector("[data-keys-on]");
const keysOn = () => { try { return localStorage.getItem("keys") !== "off"; } catch { return true; } };
if (on) { on.checked = keysOn(); on.addEventListener("change", () => { try { localStorage.setItem("keys", on.checked ? "on" : "off"); } catch { /* forbidden */ } }); }
const rows = () => [...document.querySelectorAll("[data-rows] tbody tr, .owed-list > li, [data-hits] > li")].filter((one) => !one.closest("details:not([open])"));
const walk = (step) => {
  const all = rows(), at = all.findIndex((row) => row.contains(document.activeElement));
  all[Math.max(0, Math.min(all.length - 1, at + step))]?.querySelector("a.main, a, button")?.focus();
};
const visit = (path) => () => { if (document.querySelector(`a[href="${path}"]`)) location.assign(path); };
const keys = {
  "/": () => {
    const box = [...document.querySelectorAll("#q, [data-search]")].find((one) => one.offsetParent);
    if (box) { box.focus(); box.select(); } else if (document.querySelector("a[href='/search']")) location.assign("/search");
  },
  "?": () => sheet.showModal(), n: visit("/tickets/new"), j: () => walk(1), k: () => walk(-1),
  x: () => document.activeElement.closest("tr")?.querySelector("[name=record]")?.click(),
  e: () => { const edit = document.querySelector("main a[href$='/edit']"); if (edit) location.assign(edit.href); },
  m: () => document.querySelector("#note-words")?.focus(),
  "g t": visit("/"), "g r": visit("/tickets"), "g c": visit("/customers"), "g b": visit("/rulebook"),
};
document.querySelector("[data-show-keys]")?.addEventListener("click", () => sheet.showModal());
let before = "";
addEventListener("keydown", (event) => {
  if (!sheet || sheet.open || typing(event) || (!keysOn() && event.key !== "?")) return;
  const act = keys[`${before} ${event.key}`.trim()] || keys[event.key];
  before = event.key === "g" ? "g" : "";
  if (act) { event.preventDefault(); act(); }
});

// ── Who else has this record open ────────────────────────────────────────────────────────────────────────────────────
const saySo = () => {
  const place = document.querySelector("[data-presence]"), token = document.querySelector("[name=csrf_token]")?.value;
  if (!place || !token) return;
  const data = (leaving) => { const form = new FormData(); form.append("csrf_token", token); if (leaving) form.append("leaving", "1"); return form; };
  const say = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(`/presence/${place.dataset.presence}`, { method: "POST", body: data() });
      if (!answer.ok || answer.redirected) return;
      const others = await answer.json();
      place.hidden = !others.length;
      place.textContent = others.length ? `${others.join(document.documentElement.lang.startsWith("zh") ? "、" : ", ")} ${place.dataset.said}` : "";
    } catch { /* the next time */ }
  };
  say();
  setInterval(say, 25_000);
  document.addEventListener("visibilitychange", say);
  addEventListener("pagehide", () => navigator.sendBeacon(`/presence/${place.dataset.presence}`, data(true)));
};
saySo();

// ── Many rows at once ────────────────────────────────────────────────────────────────────────────────────────────────
const pickMany = () => {
  const form = document.querySelector("#bulk"), boxes = [...document.querySelectorAll("[form=bulk][name=record]")];
  if (!form || !boxes.length) return;
  const all = document.querySelector("[data-pick-all]"), count = form.querySelector("[data-count]");
  const show = () => {
    const picked = boxes.filter((box) => box.checked).length;
    form.hidden = !picked;
    count.textContent = count.dataset.count.replace("#", picked);
    if (all) all.checked = picked === boxes.length;
  };
  const pickAll = (picked) => { for (const box of boxes) box.checked = picked; show(); };
  all?.addEventListener("change", () => pickAll(all.checked));
  form.querySelector("[data-pick-none]").addEventListener("click", () => pickAll(false));
  for (const box of boxes) box.addEventListener("change", show);
  show();
};
pickMany();

// ── What unfolds above the page folds again ──────────────────────────────────────────────────────────────────────────
const foldAbove = (but) => { for (const one of document.querySelectorAll(".popover-fold[open]")) if (!one.contains(but)) one.open = false; };
document.addEventListener("click", (event) => foldAbove(event.target));
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector(".popover-fold[open]");
  if (open) { foldAbove(null); open.querySelector("summary").focus(); }
});

// A refused form was posted to its verb's address; the page is the record's, and so is what is shared or loaded again.
const shownAt = document.querySelector("[data-here]")?.dataset.here;
if (shownAt && shownAt !== location.pathname) history.replaceState(null, "", shownAt + location.hash);

if (matchMedia("(max-width: 767px)").matches) for (const part of document.querySelectorAll("[data-fold-on-phone]")) part.open = false;
keepWords(); showParts(); lookUpCustomers(); openTarget();
document.querySelector("#wrong")?.focus();

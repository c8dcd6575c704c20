// A draft of the rulebook: what is typed is checked as it is typed, and a trial that goes on is looked at now and then.
const checking = (form) => {
  const put = (kind, name, words) => { const place = form.querySelector(`[data-${kind}="${CSS.escape(name)}"]`); if (place) place.textContent = words; };
  const show = ({ wrong = {}, said = {}, faults = [] }) => {
    const fine = !Object.keys(wrong).length;
    for (const input of form.querySelectorAll(".typed .form-control, .typed .form-select")) {
      input.classList.toggle("is-invalid", input.name in wrong);
      put("wrong", input.name, wrong[input.name] || "");
      if (input.name in wrong) put("said", input.name, "");
      else if (fine && input.name in said) put("said", input.name, said[input.name]);
    }
    const all = form.querySelector("[data-faults]"), list = form.querySelector("[data-faults-list]");
    if (all) all.textContent = faults.join(" ");
    list?.replaceChildren(...faults.map((fault) => { const line = document.createElement("li"); line.textContent = fault; return line; }));
  };
  let waiting, asked = 0;
  const ask = async () => {
    const mine = ++asked;
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new FormData(form) });
      if (answer.ok && !answer.redirected && mine === asked) show(await answer.json());
    } catch { /* the next letter; and the server looks when it is sent */ }
  };
  form.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(ask, 400); });
  form.addEventListener("change", () => { clearTimeout(waiting); waiting = setTimeout(ask, 50); });
};
for (const form of document.querySelectorAll("form[data-check]")) checking(form);

const goingOn = document.querySelector("[data-progress]");
if (goingOn) {
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(goingOn.dataset.progress);
      if (!answer.ok || answer.redirected) return;
      const { going, seen, total } = await answer.json(), bar = goingOn.querySelector("progress");
      if (!going) location.reload();
      bar.max = total || 1; bar.value = seen;
    } catch { /* the next time */ }
  };
  setInterval(look, 3000);
}

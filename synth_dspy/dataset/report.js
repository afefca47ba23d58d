"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const PAGE = 60;
  const LONGEST = 60000;
  const ALL = {
    state: "Accepted or not", type: "All types", category: "All categories", split: "All splits",
    modality: "All modalities", difficulty: "All difficulties", stage: "All stages", reason: "All reasons",
  };
  const COLORS = ["blue", "orange", "green", "pink", "sky", "vermilion"].map((name) => `var(--${name})`);

  // Everything that comes from a sample enters the page as text, never as markup.
  const make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") node.className = value;
      else node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };
  const plain = (name) => String(name).replaceAll("_", " ");

  // A tiny highlighter for Python: one pass, first match wins.
  const TOKENS = new RegExp([
    /(?<com>#[^\n]*)/,
    /(?<str>\b[rRbBfFuU]{0,2}(?:"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)|"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?)/,
    /(?<def>\b(?:def|class)\s+)(?<name>\w+)/,
    /(?<kw>\b(?:and|as|assert|async|await|break|case|class|continue|def|del|elif|else|except|False|finally|for|from|global|if|import|in|is|lambda|match|None|nonlocal|not|or|pass|raise|return|True|try|while|with|yield)\b)/,
    /(?<num>\b(?:0[xob][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?j?)\b)/,
    /(?<fn>@[\w.]+|\b\w+(?=\())/,
  ].map((part) => part.source).join("|"), "g");

  const highlight = (text, plainText = false) => {
    const code = make("code");
    if (plainText || text.length > LONGEST) { code.textContent = text; return make("pre", {}, code); }
    let at = 0;
    for (const match of text.matchAll(TOKENS)) {
      code.append(text.slice(at, match.index));
      const found = match.groups;
      if (found.def) {
        code.append(make("span", { class: "kw" }, found.def), make("span", { class: "fn" }, found.name));
      } else {
        const kind = ["com", "str", "kw", "num", "fn"].find((name) => found[name] !== undefined);
        code.append(make("span", { class: kind }, match[0]));
      }
      at = match.index + match[0].length;
    }
    code.append(text.slice(at));
    return make("pre", {}, code);
  };

  const inline = (text) => text.split(/(`[^`\n]+`)/).map((part) =>
    part.length > 2 && part.startsWith("`") && part.endsWith("`") ? make("code", {}, part.slice(1, -1)) : part);

  const prose = (text) => {
    const box = make("div", { class: "prose" });
    text.split(/^(```[^\n]*\n[\s\S]*?\n```[ \t]*$)/m).forEach((part) => {
      const fence = /^```([^\n]*)\n([\s\S]*?)\n```[ \t]*$/.exec(part);
      if (fence) { box.append(highlight(fence[2], !/^\s*(py|python|python3)?\s*$/i.test(fence[1]))); return; }
      part.split(/\n{2,}/).map((p) => p.trim()).filter(Boolean)
        .forEach((paragraph) => box.append(make("p", {}, ...inline(paragraph))));
    });
    return box;
  };

  // Filters.
  const bar = document.getElementById("filters");
  const find = document.getElementById("find");
  const list = document.getElementById("list");
  const detail = document.getElementById("detail");
  const choices = make("div", { class: "choices" });
  const selects = {};
  const colorOf = new Map();
  for (const field of data.facets) {
    const tally = new Map();
    for (const item of data.items) {
      const value = item.facets[field];
      if (value) tally.set(value, (tally.get(value) || 0) + 1);
    }
    const values = [...tally].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    if (field === "type") values.forEach(([value], place) => colorOf.set(value, COLORS[place] || "var(--grey)"));
    if (tally.size < (field === "reason" ? 1 : 2) || tally.size > 400) continue;
    const all = ALL[field] || `Any ${plain(field)}`;
    const select = make("select", { "aria-label": plain(field), "data-field": field }, make("option", { value: "" }, all));
    values.forEach(([value, count]) => select.append(make("option", { value }, `${plain(value)} (${count.toLocaleString("en")})`)));
    select.addEventListener("change", () => { select.classList.toggle("set", select.value !== ""); apply(); });
    selects[field] = select;
    choices.append(select);
  }
  const clear = make("button", { class: "clear", type: "button" }, "Clear");
  const count = make("span", { class: "count", role: "status" });
  bar.append(clear, count, choices);
  clear.addEventListener("click", () => {
    find.value = "";
    Object.values(selects).forEach((select) => { select.value = ""; select.classList.remove("set"); });
    apply();
  });
  let timer = 0;
  find.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });

  const said = (item) => item.parts.map((part) => [part.text, ...part.turns.map((turn) => turn.text)].join("\n")).join("\n");
  const searched = data.items.map((item) => [said(item), item.source, item.id, item.detail].join("\n").toLowerCase());
  let shown = [];
  let drawn = 0;
  let chosen = -1;

  function apply() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = Object.entries(selects).filter(([, select]) => select.value !== "");
    shown = data.items.map((_, index) => index).filter((index) =>
      wanted.every(([field, select]) => data.items[index].facets[field] === select.value)
      && words.every((word) => searched[index].includes(word)));
    count.textContent = `${shown.length.toLocaleString("en")} of ${data.items.length.toLocaleString("en")}`;
    list.replaceChildren();
    list.scrollTop = 0;
    drawn = 0;
    more();
    if (!shown.length) {
      list.append(make("p", { class: "hint", style: "padding: 1rem" }, "No sample fits these filters."));
      choose(-1);
    } else if (!shown.includes(chosen)) choose(shown[0]);
  }

  function more() {
    list.querySelector(".more")?.remove();
    shown.slice(drawn, drawn + PAGE).forEach((index) => list.append(row(index)));
    drawn = Math.min(shown.length, drawn + PAGE);
    if (drawn < shown.length) {
      const button = make("button", { class: "more", type: "button" }, `Show more (${(shown.length - drawn).toLocaleString("en")})`);
      button.addEventListener("click", more);
      list.append(button);
    }
  }
  list.addEventListener("scroll", () => {
    if (drawn < shown.length && list.scrollTop + list.clientHeight > list.scrollHeight - 400) more();
  });

  function row(index) {
    const item = data.items[index];
    const { type, category, split } = item.facets;
    const ask = make("div", { class: item.code ? "ask code" : "ask" }, item.title);
    const dot = make("span", { class: "dot", style: `background: ${colorOf.get(type) || "var(--grey)"}` });
    const last = item.state === "rejected"
      ? make("span", { class: "bad" }, `rejected: ${plain(item.reason)}`) : make("span", {}, split || "");
    const under = make("div", { class: "under" },
      make("span", {}, dot, plain(type || "unknown")), category ? make("span", {}, plain(category)) : null, last);
    const box = make("div", {
      class: "row", role: "option", id: `row-${index}`, "data-index": index, "aria-selected": String(index === chosen),
    }, ask, under);
    if (item.picture >= 0) box.append(make("img", { src: data.pictures[item.picture], alt: "", loading: "lazy" }));
    box.addEventListener("click", () => choose(index));
    return box;
  }

  // Arrows walk through the list, Enter goes to the sample, Escape comes back, / searches.
  list.addEventListener("keydown", (event) => {
    if (!shown.length) return;
    const at = shown.indexOf(chosen);
    const to = {
      ArrowDown: at + 1, j: at + 1, ArrowUp: at - 1, k: at - 1, PageDown: at + 8, PageUp: at - 8, Home: 0, End: shown.length - 1,
    }[event.key];
    if (event.key === "Enter") { event.preventDefault(); detail.focus(); }
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = Math.max(0, Math.min(shown.length - 1, to));
    while (next >= drawn) more();
    choose(shown[next]);
    list.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || "");
    if (event.key === "/" && !typing) { event.preventDefault(); find.focus(); }
    if (event.key === "Escape" && (detail.contains(document.activeElement) || document.activeElement === find)) list.focus();
  });

  function choose(index) {
    chosen = index;
    list.querySelectorAll(".row").forEach((box) => box.setAttribute("aria-selected", String(Number(box.dataset.index) === index)));
    if (index < 0) list.removeAttribute("aria-activedescendant");
    else list.setAttribute("aria-activedescendant", `row-${index}`);
    detail.scrollTop = 0;
    detail.replaceChildren(...(index < 0 ? [] : describe(data.items[index])));
  }

  // One sample.
  const badge = (text, kind = "") => make("span", { class: `badge ${kind}` }, text);

  function describe(item) {
    const { type, state, stage, reason, ...others } = item.facets;
    const parts = [make("div", { class: "badges" },
      badge(plain(type || "unknown"), "type"), ...Object.values(others).map((value) => badge(plain(value))),
      state === "accepted" ? badge("accepted", "yes") : badge("rejected", "no"))];
    if (state === "rejected") parts.push(whyNot(item));
    item.parts.forEach((part, place) => {
      const drawn = () => [content(part)];
      if (part.folded) parts.push(fold(part.title, drawn));
      else parts.push(...(part.title ? [make("h3", {}, part.title)] : []), ...drawn());
      if (place === 0) parts.push(picture(item));
    });
    parts.push(fold("Provenance", () => provenance(item)));
    return parts.filter(Boolean);
  }

  function whyNot(item) {
    const box = make("div", { class: "why-not" }, make("strong", {}, `${plain(item.reason)}, in ${item.stage}`));
    if (item.detail) box.append(make("p", {}, item.detail));
    if (!item.errors.length) return box;
    const title = item.errors.length === 1 ? "The report it got" : `The ${item.errors.length} reports it got, oldest first`;
    box.append(fold(title, () => [make("ol", { class: "errors" },
      ...item.errors.map((error) => make("li", {}, highlight(error, true))))]));
    return box;
  }

  function picture(item) {
    if (item.picture >= 0) return make("img", { class: "picture", src: data.pictures[item.picture], alt: "The image of this sample" });
    return item.facets.modality === "multimodal" ? make("p", { class: "hint" }, "The image is in the dataset; it is not in this report.") : null;
  }

  function content(part) {
    if (part.kind === "turns") return make("div", { class: "talk" }, ...part.turns.map(bubble));
    if (part.kind === "prose") return prose(part.text);
    return highlight(part.text, part.kind === "plain");
  }

  function bubble(turn) {
    const side = { user: "user", human: "user", system: "system" }[turn.role] || "other";
    return make("div", { class: `turn ${side}` }, make("span", { class: "who" }, plain(turn.role || "unknown")), prose(turn.text));
  }

  function fold(title, fill) {
    const box = make("details", {}, make("summary", {}, title));
    box.addEventListener("toggle", () => { if (box.open && box.childElementCount === 1) box.append(...fill()); });
    return box;
  }

  function facts(pairs) {
    const box = make("dl", { class: "facts" });
    for (const [name, value, mono] of pairs) {
      if (value === "" || value === null || value === undefined) continue;
      box.append(make("dt", {}, name), make("dd", mono ? { class: "mono" } : {}, String(value)));
    }
    return box;
  }

  function provenance(item) {
    const meta = item.metadata || {};
    const source = meta.source || {};
    const check = meta.check;
    const judged = meta.judgement;
    const range = (values) => (Array.isArray(values) && values.length ? values.join(", ") : "");
    const parts = [facts([
      ["source", source.path || item.source, true], ["SHA-256", source.sha256, true], ["revision", source.revision, true],
      ["characters", Array.isArray(source.span) ? source.span.join(" to ") : ""], ["cells", range(source.cells)], ["pages", range(source.pages)],
      ["image", meta.image ? [meta.image.origin, meta.image.ref, meta.image.sha256].filter(Boolean).join(", ") : "", true],
      ["id", item.id, true],
    ])];
    if (check) parts.push(make("h3", {}, "Sandbox"), facts([
      ["isolation", check.isolation], ["assurance", check.assurance], ["expected values", check.oracle], ["tests", check.tests],
      ["mutants killed", check.mutants_run ? `${check.mutants_killed} of ${check.mutants_run}` : "none run"],
    ]));
    if (judged) parts.push(make("h3", {}, "Judge"), facts([
      ["verdict", judged.passed ? "passed" : "not passed"],
      ...Object.entries(judged.criteria || {}).map(([name, met]) => [plain(name), met ? "✓ yes" : "✗ no"]),
      ["reason", judged.reason], ["image", item.facets.modality === "multimodal" ? (judged.image_seen ? "seen" : "unverified (caption only)") : ""],
    ]));
    const steps = Object.entries(meta.steps || {});
    if (steps.length) parts.push(make("h3", {}, "Models"), facts(steps.map(([name, step]) => [
      plain(name), `${step.model || "unknown"}, ${step.attempts} ${step.attempts === 1 ? "attempt" : "attempts"}${step.program ? `, program ${step.program}` : ""}`,
    ])));
    if (Object.keys(meta).length) parts.push(make("h3", {}, "As it is in the dataset"), highlight(JSON.stringify(meta, null, 2), true));
    return parts;
  }

  // Light and dark.
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });

  apply();
})();

"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const body = $("rows"), rows = [...body.rows];
  const search = $("search"), only = $("only"), count = $("count"), empty = $("empty");
  const heads = [...document.querySelectorAll("th[data-key]")];
  const order = new Map(rows.map((row, index) => [row, index]));
  let sort = { key: "", down: false };

  const services = rows.length === 1 ? "1 service" : `${rows.length} services`;
  const words = { drifted: ["high", "medium"], unknown: ["unknown"] };
  const fits = (row) => {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (!wanted.every((word) => row.dataset.search.includes(word))) return false;
    if (only.value === "unhealthy") return row.dataset.unhealthy === "1";
    return !only.value || words[only.value].includes(row.dataset.level);
  };
  const valueOf = (row, key) => {
    const value = row.dataset[key] ?? "";
    return key === "name" ? value : Number(value || -1);
  };
  const show = () => {
    let shown = 0;
    for (const row of rows) {
      row.hidden = !fits(row);
      if (!row.hidden) shown += 1;
    }
    empty.hidden = shown > 0;
    count.textContent = shown === rows.length ? services : `${shown} of ${services}`;
    const state = new URLSearchParams();
    if (search.value) state.set("q", search.value);
    if (only.value) state.set("only", only.value);
    if (sort.key) state.set("sort", (sort.down ? "-" : "") + sort.key);
    history.replaceState(null, "", "#" + state.toString());
  };
  const arrange = () => {
    const turn = sort.down ? -1 : 1;
    const by = (one, other) => {
      if (!sort.key) return order.get(one) - order.get(other);
      const left = valueOf(one, sort.key), right = valueOf(other, sort.key);
      const found = typeof left === "string" ? left.localeCompare(right) : left - right;
      return turn * found || order.get(one) - order.get(other);
    };
    body.append(...[...rows].sort(by));
    for (const head of heads) {
      const mine = head.dataset.key === sort.key;
      head.setAttribute("aria-sort", mine ? (sort.down ? "descending" : "ascending") : "none");
    }
  };
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const key = head.dataset.key, first = key !== "name";
      if (sort.key !== key) sort = { key, down: first };
      else if (sort.down === first) sort = { key, down: !first };
      else sort = { key: "", down: false };
      arrange();
      show();
    });
  }
  search.addEventListener("input", show);
  only.addEventListener("change", show);

  const save = (name, type, text) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const data = () => JSON.parse($("data").textContent);
  const quoted = (value) => {
    const text = String(value ?? "");
    return `"${(/^[=+\-@\t\r]/.test(text) ? "'" + text : text).replaceAll('"', '""')}"`;
  };
  $("json").addEventListener("click", () => save("version-matrix.json", "application/json", JSON.stringify(data(), null, 2)));
  $("csv").addEventListener("click", () => {
    const lines = [["service", "environment", "version", "deployed_at", "who", "health", "behind", "ahead"]];
    for (const each of data().services)
      for (const [name, cell] of Object.entries(each.environments))
        lines.push([each.service, name, cell.version, cell.deployed_at, cell.who, cell.health, cell.drift ? cell.drift.behind : cell.behind, cell.drift ? cell.drift.ahead : null]);
    save("version-matrix.csv", "text/csv", lines.map((line) => line.map(quoted).join(",")).join("\r\n"));
  });

  const plural = (number, unit) => `${number} ${unit}${number === 1 ? "" : "s"} ago`;
  const ago = (seconds) => {
    if (seconds < 60) return "just now";
    if (seconds < 3600) return `${Math.floor(seconds / 60)}min ago`;
    if (seconds < 86400) return `${Math.floor(seconds / 3600)}h ago`;
    const days = Math.floor(seconds / 86400);
    if (days >= 730) return plural(Math.floor(days / 365), "year");
    if (days >= 60) return plural(Math.floor(days / 30), "month");
    return days >= 7 ? plural(Math.floor(days / 7), "week") : plural(days, "day");
  };
  const times = [...document.querySelectorAll("time.ago")];
  const tell = () => {
    const now = Date.now();
    for (const time of times) time.textContent = ago(Math.max(0, (now - Date.parse(time.dateTime)) / 1000));
    const age = (now - Date.parse($("made").dateTime)) / 3600000;
    const stale = $("stale");
    stale.hidden = age < 24;
    if (age >= 24) stale.textContent = `This page was made ${ago(age * 3600)}: what runs now may differ.`;
  };
  tell();
  setInterval(tell, 60000);

  const state = new URLSearchParams(location.hash.slice(1));
  search.value = state.get("q") || "";
  only.value = state.get("only") || "";
  const key = state.get("sort") || "";
  if (heads.some((head) => head.dataset.key === key.replace(/^-/, ""))) sort = { key: key.replace(/^-/, ""), down: key.startsWith("-") };
  $("tools").hidden = false;
  arrange();
  show();
})();

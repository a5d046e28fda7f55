// The start page: signs in, shows what is going on, and keeps it current over the live connection.
"use strict";

const api = "/api/v1";
const byId = (id) => document.getElementById(id);
const state = { me: null, queues: new Map(), agents: new Map(), conversations: new Map(), past: null, seq: null, offset: 0 };
let socket = null;
let pause = 1000;
let heard = 0;
let asking = false;
let drawing = false;

async function call(method, path, body) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method !== "GET" && state.me) headers["X-CSRF-Token"] = state.me.csrf_token ?? "";
  const response = await fetch(api + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) }).catch(() => {
    throw new Error("The server cannot be reached.");
  });
  const text = await response.text();
  const answer = text ? JSON.parse(text) : null;
  if (!response.ok) {
    const problem = new Error(answer?.detail ?? `The server answered ${response.status}.`);
    problem.code = answer?.code;
    problem.status = response.status;
    throw problem;
  }
  return answer;
}

function say(id, text) {
  const place = byId(id);
  place.textContent = text ?? "";
  place.hidden = !text;
}

// ---- Signing in and out ----

async function begin() {
  try {
    state.me = await call("GET", "/me");
  } catch (problem) {
    if (problem.status !== 401) {
      showSignIn();
      say("sign-in-problem", problem.message);
      return;
    }
    showSignIn();
    return;
  }
  showBoard();
}

function showSignIn() {
  state.me = null;
  byId("board").hidden = true;
  byId("who").hidden = true;
  byId("link").hidden = true;
  byId("sign-in").hidden = false;
  byId("user").focus();
}

function showBoard() {
  byId("sign-in").hidden = true;
  byId("board").hidden = false;
  byId("who").hidden = false;
  byId("name").textContent = state.me.name;
  byId("tenant").textContent = state.me.tenant_name === "Dreiklang" ? "" : state.me.tenant_name;
  const all = state.me.roles.some((role) => ["supervisor", "administrator", "auditor", "program"].includes(role));
  byId("past-section").hidden = !(all || state.me.agent);
  byId("live-section").hidden = !(all || state.me.agent);
  byId("desk").hidden = !state.me.agent;
  listen();
  loadPast();
}

byId("sign-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const button = event.target.querySelector("button");
  button.disabled = true;
  say("sign-in-problem");
  try {
    const body = { user: form.get("user"), password: form.get("password") };
    if (form.get("tenant")) body.tenant = form.get("tenant");
    state.me = await call("POST", "/session", body);
    try {
      await call("GET", "/me");
    } catch {
      state.me = null;
      throw new Error("The browser did not keep the sign-in: it wants HTTPS. Use https://, or localhost on the same machine.");
    }
    event.target.reset();
    showBoard();
  } catch (problem) {
    say("sign-in-problem", problem.message);
    byId("tenant-field").hidden = false;
    byId("password").select();
  } finally {
    button.disabled = false;
  }
});

byId("sign-out").addEventListener("click", async () => {
  try {
    await call("DELETE", "/session");
  } catch (problem) {
    // Nobody should leave in the belief of being signed out.
    if (problem.status !== 401) return say("problem", `You are still signed in. ${problem.message}`);
  }
  location.reload();
});

// ---- The live connection ----

function listen() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const resume = state.seq === null ? "" : `?after=${state.seq}`;
  const mine = new WebSocket(`${scheme}://${location.host}${api}/live${resume}`);
  socket = mine;
  mine.addEventListener("open", () => {
    pause = 1000;
    heard = Date.now();
    link("Live", false);
    say("problem");
  });
  mine.addEventListener("message", (message) => {
    if (mine !== socket) return;
    heard = Date.now();
    take(JSON.parse(message.data));
    draw();
  });
  mine.addEventListener("close", () => {
    if (mine === socket) lost();
  });
}

function lost() {
  socket?.close();
  socket = null;
  link("Not connected; trying again …", true);
  // Spread, so that a server that comes back is not asked by everybody at once.
  setTimeout(reconnect, pause * (0.5 + Math.random() / 2));
  pause = Math.min(pause * 2, 30000);
}

async function reconnect() {
  try {
    state.me = await call("GET", "/me");
  } catch (problem) {
    // No longer signed in: what was shown is nobody's business any more.
    if (problem.status === 401) location.reload();
    else lost();
    return;
  }
  listen();
  loadPast();
}

// A connection can be dead without being closed, and the browser does not show us the server's pings: after a silence we ask.
async function ask() {
  if (asking || socket?.readyState !== WebSocket.OPEN || Date.now() - heard < (navigator.onLine ? 25000 : 3000)) return;
  asking = true;
  const asked = socket;
  try {
    await fetch("/icon.svg", { method: "HEAD", cache: "no-store", signal: AbortSignal.timeout(5000) });
    heard = Date.now();
  } catch {
    if (asked === socket) lost();
  } finally {
    asking = false;
  }
}

function link(text, down) {
  const place = byId("link");
  place.hidden = false;
  // Said once: what stands here is read aloud by screen readers, unlike the time next to it.
  if (place.textContent !== text) place.textContent = text;
  place.classList.toggle("down", down);
  byId("clock").hidden = down;
}

function take(frame) {
  if (typeof frame.seq === "number") state.seq = frame.seq;
  if (typeof frame.at === "number" && frame.snapshot) state.offset = Date.now() - frame.at;
  const conversation = frame.conversation && state.conversations.get(frame.conversation);
  const agent = frame.agent && state.agents.get(frame.agent);
  switch (frame.type) {
    case "hello":
    case "resync":
      state.queues = new Map(frame.snapshot.queues.map((queue) => [queue.id, queue]));
      state.agents = new Map(frame.snapshot.agents.map((agent) => [agent.id, agent]));
      state.conversations = new Map(frame.snapshot.conversations.map((conversation) => [conversation.id, conversation]));
      break;
    case "figures":
      state.queues = new Map(frame.queues.map((queue) => [queue.id, queue]));
      break;
    case "queue": {
      const queue = state.queues.get(frame.queue);
      if (queue) Object.assign(queue, { waiting: frame.waiting, oldest_enqueued_at: frame.oldest_enqueued_at });
      break;
    }
    case "configured":
      // Names and lists changed: ask for everything anew.
      refresh();
      break;
    case "duty_changed":
      if (agent) Object.assign(agent, { duty: frame.duty, state_since: frame.at });
      break;
    case "availability_changed":
      if (agent) Object.assign(agent, { availability: frame.availability, planned: null, state_since: frame.at });
      break;
    case "availability_planned":
      if (agent) agent.planned = frame.availability;
      break;
    case "reachability_changed":
      if (agent) agent.reachable = frame.reachable;
      break;
    case "occupation_changed":
      if (agent) Object.assign(agent, { occupation: frame.occupation, occupation_since: frame.at });
      break;
    case "conversation_started":
    case "conversation":
      state.conversations.set(frame.conversation, {
        id: frame.conversation, caller_number: frame.caller?.number, caller_name: frame.caller?.name, dialed: frame.dialed,
        started_at: frame.started_at ?? frame.at, place: frame.enqueued_at ? "queue" : "set_up", place_since: frame.enqueued_at ?? frame.at, queue: frame.queue,
      });
      break;
    case "segment_closed":
      if (conversation && frame.next) Object.assign(conversation, { place: frame.next, place_since: frame.to });
      break;
    case "visit_started":
      if (conversation) conversation.queue = frame.queue;
      break;
    case "offer_made":
    case "talk_started":
      if (conversation) conversation.agent = frame.agent;
      break;
    case "offer_ended":
      if (conversation && frame.outcome !== "accepted") conversation.agent = null;
      break;
    case "conversation_gone":
    case "conversation_ended":
      state.conversations.delete(frame.conversation);
      setTimeout(loadPast, 500);
      break;
    case "recording_finished":
      setTimeout(loadPast, 500);
      break;
  }
}

async function refresh() {
  try {
    const snapshot = await call("GET", "/live/snapshot");
    take({ type: "resync", snapshot });
    draw();
  } catch (problem) {
    say("problem", problem.message);
  }
}

async function loadPast() {
  if (byId("past-section").hidden) return;
  try {
    const page = await call("GET", "/conversations?open=false&limit=20");
    state.past = page.items;
    await Promise.all(state.past.filter((row) => row.recordings > 0 && !recorded.has(row.id)).slice(0, 5).map(loadRecordings));
    draw();
  } catch (problem) {
    say("problem", problem.message);
  }
}

const recorded = new Map();

async function loadRecordings(row) {
  if (!mayHear()) return;
  const details = await call("GET", `/conversations/${row.id}`);
  const ready = details.recordings_made.filter((recording) => recording.status === "finished").map((recording) => recording.id);
  if (ready.length === row.recordings) recorded.set(row.id, ready);
}

const mayHear = () => state.me.roles.some((role) => ["supervisor", "administrator", "auditor", "program"].includes(role));

// ---- Drawing ----

const present = () => Date.now() - state.offset;
const span = (ms) => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
};
const since = (at) => (at ? span(present() - at) : "");
const nameOf = (map, id) => (id ? map.get(id)?.name ?? id : "");
const caller = (row) => [row.caller_name, row.caller_number].filter(Boolean).join(" · ") || "withheld";
const places = { set_up: "Connecting", greeting: "Greeting", queue: "Waiting", talk: "Talking", hold: "On hold", transfer: "Being transferred", ending: "Ending", over: "Over" };
const outcomes = { answered: "Answered", abandoned: "Abandoned", flow_out: "Flowed out", unserved: "Not served" };

function word(agent) {
  if (agent.duty === "signed_out") return ["Signed out", "away"];
  if (agent.duty === "off_duty") return ["Off duty", "away"];
  switch (agent.occupation.state) {
    case "offered": return ["Ringing", "offered"];
    case "talking": return ["Talking", "talking"];
    case "consulting": return ["Consulting", "talking"];
    case "wrap_up": return ["Wrap-up", "wrap_up"];
  }
  if (agent.availability.state === "not_ready") return [`Not ready (${agent.availability.reason.replaceAll("_", " ")})`, "away"];
  return agent.reachable ? ["Ready", "ready"] : ["Ready, but not reachable", "late"];
}

function rows(id, items, cells) {
  const table = byId(id);
  const body = document.createElement("tbody");
  for (const item of items) {
    const row = body.insertRow();
    for (const [value, kind] of cells(item)) {
      const cell = row.insertCell();
      if (value instanceof Node) cell.append(value);
      else cell.textContent = value;
      if (kind) cell.className = kind;
    }
  }
  // Drawn again only when something differs, so that controls keep the focus and readers are not disturbed.
  if (body.innerHTML !== table.tBodies[0].innerHTML) table.tBodies[0].replaceWith(body);
  table.hidden = items.length === 0;
  table.nextElementSibling.hidden = items.length !== 0;
}

function ready(queue) {
  const serving = [...state.agents.values()].filter((agent) => agent.queues.includes(queue.id) && agent.duty === "on_duty");
  const free = serving.filter((agent) => agent.occupation.state === "idle" && agent.availability.state === "ready" && agent.reachable);
  const talking = serving.filter((agent) => agent.occupation.state === "talking");
  return [free.length, talking.length, serving.length];
}

function draw() {
  // Before the first state arrived there is nothing to say, not even that there is nothing.
  if (drawing || state.seq === null) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    const queues = [...state.queues.values()].sort((one, other) => one.name.localeCompare(other.name));
    rows("queues", queues, (queue) => {
      const late = queue.oldest_enqueued_at && present() - queue.oldest_enqueued_at > queue.service_level_within_ms;
      const [free, talking, duty] = ready(queue);
      return [[queue.name], [String(queue.waiting), "number"], [(late ? "⚠ " : "") + since(queue.oldest_enqueued_at), late ? "number late" : "number"], [String(free), "number"], [String(talking), "number"], [String(duty), "number"]];
    });
    const agents = [...state.agents.values()].sort((one, other) => one.name.localeCompare(other.name));
    rows("agents", agents, (agent) => {
      const busy = agent.duty === "on_duty" && agent.occupation.state !== "idle";
      const [text, kind] = word(agent);
      return [[agent.name], [text, kind], [agent.duty === "signed_out" ? "" : since(busy ? agent.occupation_since : agent.state_since), "number"]];
    });
    rows("live", [...state.conversations.values()].filter((row) => row.place !== "over"), (row) => [
      [caller(row)], [row.dialed ?? ""], [places[row.place] ?? row.place], [nameOf(state.queues, row.queue)], [nameOf(state.agents, row.agent)], [since(row.place_since ?? row.started_at), "number"],
    ]);
    if (state.past) rows("past", state.past, (row) => [
      [new Date(row.started_at).toLocaleString()], [caller(row)], [outcomes[row.outcome] ?? row.termination?.reason?.replaceAll("_", " ") ?? ""], [nameOf(state.queues, row.queue)],
      [nameOf(state.agents, row.agent)], [span(row.wait_ms), "number"], [span(row.talk_ms), "number"], [recordings(row)],
    ]);
    desk();
    byId("clock").textContent = new Date(present()).toLocaleTimeString();
  });
}

function recordings(row) {
  const place = document.createElement("span");
  for (const id of recorded.get(row.id) ?? []) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = "▶ Play";
    button.setAttribute("aria-label", `Play the recording of ${caller(row)}`);
    button.addEventListener("click", () => {
      // One player for all: rows are drawn again and again, and a player must not be.
      const player = byId("player");
      player.hidden = false;
      player.src = `${api}/recordings/${id}/audio`;
      // A browser that does not start sound by itself shows the player, and the person starts it.
      player.play().catch((problem) => problem.name === "NotAllowedError" || say("problem", `The recording cannot be played: ${problem.message}`));
    });
    place.append(button);
  }
  if (!place.childElementCount && row.recordings > 0) place.textContent = mayHear() ? "being written" : "yes";
  return place;
}

let deskText = "";

function desk() {
  const agent = state.me.agent && state.agents.get(state.me.agent);
  if (!agent) return;
  const [text, kind] = word(agent);
  const planned = agent.planned ? ` · then ${agent.planned.state === "ready" ? "ready" : `not ready (${agent.planned.reason})`}` : "";
  byId("desk-state").textContent = text + planned;
  byId("desk-state").className = kind;
  const mine = [...state.conversations.values()].find((row) => row.agent === agent.id);
  const path = `/agents/${agent.id}`;
  const actions = [];
  if (agent.duty !== "on_duty") actions.push(["Start work", "PUT", `${path}/duty`, { duty: "on_duty" }]);
  else {
    if (agent.availability.state !== "ready") actions.push(["Ready", "PUT", `${path}/availability`, { state: "ready" }]);
    else actions.push(["Break", "PUT", `${path}/availability`, { state: "not_ready", reason: "break" }]);
    if (agent.occupation.state === "offered") actions.push(["Decline", "POST", `${path}/offer/decline`]);
    if (agent.occupation.state === "wrap_up") actions.push(["Finish wrap-up", "POST", `${path}/wrap-up/finish`, {}]);
    if (agent.occupation.state === "talking" && mine) {
      actions.push(mine.place === "hold" ? ["Resume", "POST", `/conversations/${mine.id}/resume`] : ["Hold", "POST", `/conversations/${mine.id}/hold`]);
      actions.push(["Hang up", "POST", `/conversations/${mine.id}/hang-up`]);
    }
    if (agent.occupation.state === "idle") actions.push(["End work", "PUT", `${path}/duty`, { duty: "signed_out" }]);
  }
  const drawn = JSON.stringify(actions);
  if (drawn === deskText) return;
  deskText = drawn;
  byId("desk-actions").replaceChildren(
    ...actions.map(([label, method, target, body]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", async () => {
        button.disabled = true;
        try {
          await call(method, target, body);
          say("problem");
        } catch (problem) {
          say("problem", problem.message);
        } finally {
          button.disabled = false;
        }
      });
      return button;
    }),
  );
}

// Times run on by themselves.
setInterval(() => {
  draw();
  ask();
}, 1000);

begin();

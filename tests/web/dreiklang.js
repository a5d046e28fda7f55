// The program, built by ./test or `cargo build -p dreiklang`, in a folder and on ports of its own.
//
// Decides where the program is found and how it is started, killed and asked; what is set up in it is the test's matter.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** What the first administrator signs in with. */
export const PASSWORD = "a password for tests";
/** Limit in ms for whatever should happen at once, with room for a busy machine. */
export const SOON = 20_000;
/** The same for the demo, which places a whole call first. */
const DEMO = 60_000;
/** Time between two looks at another process, in ms; such a process has no events for us. */
const LOOK_EVERY = 20;
/** Two per party, for a few calls. */
const AUDIO_PORTS = 40;

const root = fileURLToPath(new URL("../..", import.meta.url));

function program() {
  const target = path.resolve(root, process.env.CARGO_TARGET_DIR ?? "target");
  const file = process.env.DREIKLANG_PROGRAM ?? path.join(target, "debug", "dreiklang");
  if (!existsSync(file)) throw new Error(`${file} is not there; build it first: cargo build -p dreiklang (./test does)`);
  return file;
}

/** Our environment without settings of the program that somebody may have made, and with these. */
function surroundings(settings) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("DREIKLANG_"));
  return { ...Object.fromEntries(inherited), ...settings };
}

/** Looks until `look` gives something other than undefined. */
export async function until(what, look, limit = SOON) {
  const begin = Date.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() - begin > limit) throw new Error(`waited ${limit / 1000} s for ${what}`);
    await pause(LOOK_EVERY);
  }
}

function isFreeForDatagrams(port) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => resolve(false));
    socket.bind(port, "127.0.0.1", () => socket.close(() => resolve(true)));
  });
}

function isFreeForStreams(port) {
  return new Promise((resolve) => {
    const listener = createServer();
    listener.once("error", () => resolve(false));
    listener.listen(port, "127.0.0.1", () => listener.close(() => resolve(true)));
  });
}

/**
 * The first of neighboring ports, free for TCP and UDP on 127.0.0.1. They are looked for below those the kernel gives out by
 * itself (Linux: from 32,768 on), so that nobody takes one while a killed server is started again.
 */
async function freePorts(count) {
  const [from, to] = [10_000, 32_000];
  const places = Math.floor((to - from) / count);
  for (let place = 0; place < places; place += 1) {
    // Processes that run at the same time begin at different places.
    const first = from + ((process.pid + place) % places) * count;
    let free = 0;
    while (free < count && (await isFreeForDatagrams(first + free)) && (await isFreeForStreams(first + free))) free += 1;
    if (free === count) return first;
  }
  throw new Error(`no ${count} neighboring ports are free`);
}

/** A running server with nothing set up but the first administrator. */
export class Dreiklang {
  #folder;
  #child = null;
  #cookie = null;
  #csrf = null;
  #callers = [];

  /** Starts a server on an empty data directory and waits until it is ready. */
  static async start() {
    const server = new Dreiklang();
    server.#folder = await mkdtemp(path.join(tmpdir(), "dreiklang-web-"));
    const first = await freePorts(AUDIO_PORTS + 2);
    server.http = `127.0.0.1:${first + AUDIO_PORTS}`;
    server.sip = `127.0.0.1:${first + AUDIO_PORTS + 1}`;
    const configuration = `data_directory = ${JSON.stringify(path.join(server.#folder, "data"))}

[http]
listen = "${server.http}"
secure_cookies = false

[connected]
udp = "${server.sip}"
tcp = "${server.sip}"

[media]
port_first = ${first}
port_last = ${first + AUDIO_PORTS - 1}
threads = 1
`;
    await writeFile(path.join(server.#folder, "dreiklang.toml"), configuration);
    try {
      await server.startAgain();
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  /** Where the start page is. */
  get url() {
    return `http://${this.http}/`;
  }

  /** Whether the program runs. */
  get isRunning() {
    return this.#child !== null && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Starts the program on the data and ports it had, and waits until it is ready. */
  async startAgain() {
    this.#child = this.#spawn(["serve"]);
    this.#child.stdout.on("data", (text) => this.#log(text));
    this.#child.stderr.on("data", (text) => this.#log(text));
    try {
      await until("the server to be ready", async () => {
        if (this.#child.exitCode !== null) throw new Error(`the server ended with ${this.#child.exitCode}`);
        const answer = await fetch(`${this.url}readyz`).catch(() => null);
        return answer?.ok ? true : undefined;
      });
    } catch (error) {
      throw new Error(`${error.message}\n${await this.log()}`);
    }
  }

  /** Kills the program as a failing machine would. */
  async kill() {
    if (!this.isRunning) return;
    const over = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await over;
  }

  /** Stops the program in its tracks, as a machine that hangs, or lets it go on. */
  freeze(frozen) {
    this.#child.kill(frozen ? "SIGSTOP" : "SIGCONT");
  }

  /** Applies a document with queues, agents, numbers and trunks. */
  async apply(document) {
    const file = path.join(this.#folder, "apply.toml");
    await writeFile(file, document);
    const child = this.#spawn(["apply", file]);
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`dreiklang apply ended with ${code}: ${said}`);
  }

  /** Somebody calls a number and stays until the server hangs up. */
  call(number, from) {
    const caller = this.#spawn(["call", number, "--server", this.sip, "--from", from, "--talk", "600"]);
    caller.stdout.resume();
    caller.stderr.resume();
    this.#callers.push(caller);
    return caller;
  }

  /** Asks the interface as the first administrator, and returns its answer's body. */
  async request(method, what, body) {
    if (!this.#cookie) {
      const answer = await fetch(`${this.url}api/v1/session`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ user: "admin", password: PASSWORD }),
      });
      if (!answer.ok) throw new Error(`signing in is answered with ${answer.status}: ${await answer.text()}`);
      this.#cookie = answer.headers.get("set-cookie").split(";")[0];
      this.#csrf = (await answer.json()).csrf_token;
    }
    const headers = { Cookie: this.#cookie, "X-CSRF-Token": this.#csrf, "Content-Type": "application/json" };
    const answer = await fetch(`${this.url}api/v1/${what}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${what} is answered with ${answer.status}: ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Hangs up on everybody. */
  async hangUp() {
    const { items } = await this.request("GET", "conversations?open=true");
    for (const { id } of items) await this.request("POST", `conversations/${id}/hang-up`);
  }

  /** Everything the server wrote. */
  async log() {
    return readFile(path.join(this.#folder, "log"), "utf8").catch(() => "");
  }

  /** Ends everything and leaves nothing behind. */
  async close() {
    await this.kill();
    for (const caller of this.#callers) caller.kill("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  #log(text) {
    // After the folder is gone nobody wants to know.
    appendFile(path.join(this.#folder, "log"), text).catch(() => {});
  }

  #spawn(args) {
    const env = surroundings({
      DREIKLANG_CONFIG: path.join(this.#folder, "dreiklang.toml"),
      DREIKLANG_ADMIN_PASSWORD: PASSWORD,
      DREIKLANG_PASSWORD: PASSWORD,
    });
    return spawn(program(), args, { cwd: this.#folder, env, stdio: ["ignore", "pipe", "pipe"] });
  }
}

/** The demo: agents whose telephones answer, and one recorded conversation. */
export class Demo {
  #folder;
  #child;

  /** Starts it, and waits until it has placed its call and said where it is. */
  static async start() {
    const demo = new Demo();
    demo.#folder = await mkdtemp(path.join(tmpdir(), "dreiklang-demo-"));
    demo.#child = spawn(program(), ["demo", "--data", demo.#folder, "--http-port", "0", "--phone-port", "0"], {
      cwd: demo.#folder,
      env: surroundings({ DREIKLANG_ADMIN_PASSWORD: PASSWORD }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [demo.#child.stdout, demo.#child.stderr]) stream.on("data", (text) => (said += text));
    try {
      demo.url = await until("the demo to say where it is", () => {
        if (demo.#child.exitCode !== null) throw new Error(`the demo ended with ${demo.#child.exitCode}`);
        return said.includes("stays up") ? said.match(/http:\/\/\S+/)?.[0] : undefined;
      }, DEMO);
    } catch (error) {
      await demo.close();
      throw new Error(`${error.message}\n${said}`);
    }
    return demo;
  }

  /** Ends it and leaves nothing behind. */
  async close() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const over = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await over;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

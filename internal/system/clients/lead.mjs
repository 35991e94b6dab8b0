// Leads Meta's names to the simulator, for a client that is not changed: node --import ./lead.mjs
// client.mjs, with SIMULATOR_TLS for the address that speaks TLS.
import { createRequire } from "node:module";

const tls = createRequire(import.meta.url)("node:tls");
const [host, port] = process.env.SIMULATOR_TLS.split(":");
const connect = tls.connect;

tls.connect = (...args) => {
  const options = args.find((a) => a !== null && typeof a === "object");
  const name = options?.servername || options?.host;
  if (name?.endsWith(".facebook.com")) Object.assign(options, { host, port: Number(port), servername: name });
  return connect(...args);
};

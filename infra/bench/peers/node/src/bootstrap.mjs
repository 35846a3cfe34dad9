// The contender "node": organization settings as a careful Node.js developer writes
// it, with the AWS SDK v3, jose and a bundle by esbuild. The document is stored as a
// native map. Started by `node dist/bootstrap.cjs`, which `npm run build` makes.
//
// It leaves out: reading, patching and deleting; exact numbers and key order; ETags;
// scopes; 503 while the keys cannot be had (500 here); structured logs.
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";
import { run } from "./runtime.mjs";

const { JWKS_URL, JWT_ISSUER, JWT_AUDIENCE, USERS_TABLE, SETTINGS_TABLE } = process.env;
const ADMINISTRATOR = 0xfe;
const MAX_BODY = 400_000 + '{"settings":}'.length;

const database = DynamoDBDocumentClient.from(new DynamoDBClient(), {
  marshallOptions: { allowImpreciseNumbers: true }, // JSON.parse has rounded them already
});
const keys = createRemoteJWKSet(new URL(JWKS_URL));

/** Ends a request with an error response. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function authenticate(header) {
  const [, token] = /^bearer +(\S+)$/i.exec(header ?? "") ?? [];
  if (!token) throw new Refusal(401, "Authentication required");
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: JWT_ISSUER,
      audience: JWT_AUDIENCE,
      algorithms: ["RS256", "ES256"],
      requiredClaims: ["exp", "sub"],
      clockTolerance: 30,
    });
    if (typeof payload.sub === "string" && payload.sub) return payload.sub;
  } catch (error) {
    const keysFailed = !(error instanceof errors.JOSEError) || error.code === "ERR_JWKS_TIMEOUT" || error.code === "ERR_JOSE_GENERIC";
    if (keysFailed) throw error;
  }
  throw new Refusal(401, "Invalid access token");
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseSettings({ body = "", isBase64Encoded }) {
  const text = isBase64Encoded ? Buffer.from(body, "base64").toString() : body;
  if (Buffer.byteLength(text) > MAX_BODY) throw new Refusal(413, "Failed to update organization settings");
  try {
    const { settings } = JSON.parse(text);
    if (isObject(settings)) return settings;
  } catch {} // not JSON, or null
  throw new Refusal(400, "Failed to update organization settings");
}

async function writableOrganization(userId) {
  const { Item: user } = await database.send(new GetCommand({ TableName: USERS_TABLE, Key: { userId }, ConsistentRead: true }));
  if (!user?.orgId) throw new Refusal(404, "User not associated with any organization");
  if (user.role < ADMINISTRATOR) {
    throw new Refusal(403, "Insufficient permissions: only OWNER and ADMINISTRATOR roles can modify organization settings");
  }
  return user.orgId;
}

function respond(statusCode, body) {
  return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}

async function handler(event) {
  try {
    const userId = await authenticate(event.headers.authorization);
    const settings = parseSettings(event);
    const orgId = await writableOrganization(userId);
    await database.send(new PutCommand({ TableName: SETTINGS_TABLE, Item: { orgId, settings, updatedAt: new Date().toISOString() } }));
    return respond(200, { success: true, message: "Organization settings updated successfully" });
  } catch (error) {
    if (error instanceof Refusal) return respond(error.status, { success: false, message: error.message });
    console.error(error);
    return respond(500, { success: false, message: "Internal server error" });
  }
}

// A failure is no end: the first request fetches the keys again.
keys.reload().catch(console.error).then(() => run(handler));

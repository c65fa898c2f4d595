// SPDX-License-Identifier: LGPL-2.0-or-later
// A certified OpenID provider with one user and three native clients. Usage: node provider.mjs PORT [URL]
// With URL, the first client is told there when somebody logs out.
// Makes new keys at each start, so starting it again is a key rotation. Prints `ready` when it listens.
import crypto from 'node:crypto';
import { Provider } from 'oidc-provider';

const port = Number(process.argv[2]);
const told = process.argv[3];
const issuer = `http://127.0.0.1:${port}`;

const key = (kind, options, rest) => {
  const { privateKey } = crypto.generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: 'jwk' }), kid: crypto.randomUUID(), use: 'sig', ...rest };
};

const client = (id, algorithm, rest = {}) => ({
  client_id: id,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  // A native client may use any port of a loopback address (RFC 8252).
  redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  id_token_signed_response_alg: algorithm,
  ...rest,
});

const provider = new Provider(issuer, {
  clients: [
    client('plombe-rs256', 'RS256', told ? { backchannel_logout_uri: told, backchannel_logout_session_required: true } : {}),
    client('plombe-es256', 'ES256'),
    client('plombe-eddsa', 'EdDSA'),
    client('plombe-secret', 'RS256', { token_endpoint_auth_method: 'client_secret_basic', client_secret: 's3cret:with%' }),
  ],
  jwks: {
    keys: [
      key('rsa', { modulusLength: 2048 }, { alg: 'RS256' }),
      key('ec', { namedCurve: 'P-256' }, { alg: 'ES256' }),
      key('ed25519', {}, {}),
    ],
  },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: true }, claimsParameter: { enabled: true } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: id, email_verified: !id.startsWith('unverified') }),
  }),
  cookies: { keys: ['only for tests'] },
  // It would not talk to this machine, where the keystore of a test is.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
});

provider.listen(port, '127.0.0.1', () => console.log('ready'));

import { describe, expect, it } from 'vitest'
import { lintSdl } from '../../../src/gate/sdl/index.ts'
import { secretValue } from '../../../src/gate/sdl/secrets.ts'
import { order } from './support.ts'

const quoted = (text: string) => JSON.stringify(text)
const findings = async (entry: string, member = 'env') =>
  (await lintSdl(order({ service: `    ${member}: [${quoted(entry)}]` }))).findings

/** Made up, and nobody's. */
const TOKENS = {
  huggingFace: `hf_${'aB3'.repeat(12)}`,
  jwt: `eyJ${'hbGciOi'.repeat(3)}.eyJ${'pc3MiOi'.repeat(3)}.${'sig'.repeat(9)}`,
  github: `ghp_${'aB3'.repeat(12)}`,
  aws: `AKIA${'ABCD'.repeat(4)}`,
  nvidia: `nvapi-${'aB3'.repeat(12)}`,
  pem: '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----',
  pkcs8: '-----BEGIN PRIVATE KEY-----\nMHcCAQEE\n-----END PRIVATE KEY-----',
  hex: `0x${'ab'.repeat(32)}`,
  url: 'postgres://robot:swordfish@db.example/weights',
}

describe('secrets in an order', () => {
  it.each([
    ...[
      'API_KEY',
      'OPENAI_API_KEY',
      'apiKey',
      'AWS_SECRET_ACCESS_KEY',
      'HF_TOKEN',
      'token',
      'authToken',
      'DB_PASSWORD',
      'PGPASSWORD',
    ],
    ...[
      'MY_SECRET',
      'SECRET_NAME',
      'WALLET_MNEMONIC',
      'SSH_PRIVATE_KEY',
      'MYSQL_PWD',
      'client-secret',
      'GCP_CREDENTIALS',
      'SIGNING_KEY',
    ],
  ])('are known by the name %s', async (name) => {
    const found = await findings(`${name}=swordfish`)
    expect(found).toMatchObject([
      { code: 'SDL_SECRET_IN_CLEAR', item: 'web', path: '/services/web/env/0', actual: `${name}: its name says so` },
    ])
    expect(JSON.stringify(found)).not.toContain('swordfish')
  })

  it.each(Object.entries(TOKENS))('are known by their looks, whatever they are called: %s', async (_, value) => {
    const found = await findings(`SETTING=${value}`)
    expect(found.map((f) => f.code)).toEqual(['SDL_SECRET_IN_CLEAR'])
    expect(found[0]?.actual).toMatch(/^SETTING: its value looks like an? /)
    expect(JSON.stringify(found)).not.toContain(value.slice(0, 12))
  })

  it.each(Object.entries(TOKENS))('are found in arguments too: %s', async (_, value) => {
    for (const member of ['args', 'command']) {
      const found = await findings(value, member)
      expect(found).toMatchObject([{ code: 'SDL_SECRET_IN_CLEAR', path: `/services/web/${member}/0` }])
      expect(JSON.stringify(found)).not.toContain(value.slice(0, 12))
    }
  })

  it.each([
    ['as the name', `${TOKENS.huggingFace}=1`],
    ['without a name', TOKENS.huggingFace],
    ['without a name, cut', `=${TOKENS.huggingFace}`],
    ['in a name with spaces', `my token ${TOKENS.huggingFace}=${TOKENS.huggingFace}`],
  ])('are never shown: %s', async (_, entry) => {
    const found = await findings(entry)
    expect(JSON.stringify(found)).not.toContain('hf_')
  })

  it.each([
    ...[
      'PORT=80',
      'MODEL=meta-llama/Llama-3',
      'MAX_TOKENS=4096',
      'PUBLIC_KEY=abc',
      'SSH_PUBKEY=ssh-ed25519',
      'MONKEY=1',
      'PWD=/app',
    ],
    ...[
      'HF_TOKEN=',
      'HF_TOKEN',
      'VOUCHSAFE_URL=https://verifier.example',
      'URL=https://user@example.com/x',
      `DIGEST=${'ab'.repeat(32)}`,
    ],
  ])('are not seen in %s', async (entry) => {
    expect(await findings(entry)).toEqual([])
  })

  it('in an image reference are told of, not shown', async () => {
    const { findings: found } = await lintSdl(order({ image: `ghcr.io/acme/${TOKENS.huggingFace}` }))
    expect(found.map((f) => f.code)).toEqual(['SDL_IMAGE_NOT_PINNED'])
    expect(JSON.stringify(found)).not.toContain('hf_')
  })
})

it('takes no longer for a text of nothing but beginnings', () => {
  const jwt = `eyJ${'a'.repeat(3000)}.eyJ${'b'.repeat(20)}`
  expect(secretValue(jwt)).toBe('a JSON Web Token')
  const started = performance.now()
  for (const part of ['-eyJ', '.eyJ', '-eyJ.eyJ']) expect(secretValue(`${part.repeat(16_000)} `)).toBeUndefined()
  expect(performance.now() - started).toBeLessThan(1000)
})

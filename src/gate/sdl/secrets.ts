/** Names that say what is in them. A public key, an address or a limit of tokens is no secret. */
const SECRET_NAMES: readonly RegExp[] = [
  /PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|MNEMONIC|SEED_?PHRASE|PRIVATE_?KEY|API_?KEY|ACCESS_?KEY|AUTH_?KEY/,
  /TOKEN$|(^|_)(KEY|PASS|PWD|AUTH|JWT|COOKIE|PAT)$/,
]
const PUBLIC_NAMES = /(^|_)(PUB|PUBLIC)(_|$)|PUBLIC_?KEY|PUBKEY$|^(OLD)?PWD$/

/** Values that can be nothing else, with the words that a finding has for them. */
const SECRET_VALUES: readonly (readonly [what: string, form: RegExp])[] = [
  ['a private key', /-----BEGIN [A-Z0-9 ]{0,32}PRIVATE KEY-----/],
  ['a private key', /\bAGE-SECRET-KEY-1[0-9A-Z]{20}/],
  ['a private key', /(^|[^0-9A-Za-z])0x[0-9a-fA-F]{64}($|[^0-9A-Za-z])/],
  ['a Hugging Face token', /\bhf_[A-Za-z0-9]{20}/],
  ['a GitHub token', /\b(gh[pousr]_[A-Za-z0-9]{20}|github_pat_[A-Za-z0-9_]{20})/],
  ['a GitLab token', /\bglpat-[A-Za-z0-9_-]{16}/],
  ['an AWS access key', /\b(AKIA|ASIA)[0-9A-Z]{16}\b/],
  ['an NVIDIA API key', /\bnvapi-[A-Za-z0-9_-]{20}/],
  ['an API key', /\bsk-[A-Za-z0-9_-]{20}/],
  ['a Slack token', /\bxox[abprs]-[A-Za-z0-9-]{10}/],
  ['a password in a URL', /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{0,128}:[^\s/@]{1,256}@/i],
]

/** What the text looks like, where it looks like a secret. The text itself is never part of the answer. */
export const secretValue = (text: string): string | undefined =>
  SECRET_VALUES.find(([, form]) => form.test(text))?.[0] ?? (hasJwt(text) ? 'a JSON Web Token' : undefined)

const PAYLOAD = '.eyJ'
const HEADER = /(^|-)eyJ[A-Za-z0-9_-]{8}/
const PAYLOAD_FORM = /^[A-Za-z0-9_-]{8}/

/** From the dot backwards: a pattern that begins at each `eyJ` takes seconds for a text of nothing else. */
function hasJwt(text: string): boolean {
  for (let dot = text.indexOf(PAYLOAD); dot >= 0; dot = text.indexOf(PAYLOAD, dot + 1)) {
    const payload = dot + PAYLOAD.length
    if (!PAYLOAD_FORM.test(text.slice(payload, payload + 8))) continue
    let start = dot
    while (start > 0 && isBase64url(text.charCodeAt(start - 1))) start--
    if (HEADER.test(text.slice(start, dot))) return true
  }
  return false
}

const isBase64url = (c: number): boolean =>
  (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) || c === 0x2d || c === 0x5f

/** Why `NAME=value` looks like a secret; undefined where it does not, or has no value. */
export function secretVariable(name: string, value: string): string | undefined {
  if (value === '') return undefined
  const upper = name.toUpperCase().replaceAll(/[.-]/g, '_')
  if (!PUBLIC_NAMES.test(upper) && SECRET_NAMES.some((form) => form.test(upper))) return 'its name says so'
  const what = secretValue(value)
  return what === undefined ? undefined : `its value looks like ${what}`
}

/** A name that may be shown: of the usual form, and not itself the secret. */
export const shownName = (name: string): string | undefined =>
  /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/.test(name) && secretValue(name) === undefined ? name : undefined

/** A short word of the order, made fit for a finding; undefined where it may be a secret in the wrong place. */
export const shownWord = (text: string): string | undefined =>
  /^[A-Za-z0-9][A-Za-z0-9 ._/:*-]{0,127}$/.test(text) && secretValue(text) === undefined ? text : undefined

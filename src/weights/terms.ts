import { parseJson } from '../core/json.ts'

/** What the owner attaches to a sealed model: under which policy its key is released, and who releases it. */
export interface ReleaseTerms {
  /** `sha256:` and 64 hexadecimal digits */
  readonly policyDigest: string | undefined
  /** where an attested machine asks for the key */
  readonly brokerUrl: string | undefined
}

/** What the loader inside the TEE evaluates: whoever has the key may load. */
const LOCAL = 'package model\nallow = true'

/**
 * `__policy__` as the Python package reads it: two Rego modules, both of them strings. `remote` is for whoever releases keys, and
 * allows nothing: only a broker that knows the policy may.
 */
export const policyText = (terms: ReleaseTerms): string =>
  JSON.stringify({
    local: LOCAL,
    remote: [
      'package model',
      'allow = false',
      ...(terms.policyDigest === undefined ? [] : [`policy_digest = ${JSON.stringify(terms.policyDigest)}`]),
      ...(terms.brokerUrl === undefined ? [] : [`broker_url = ${JSON.stringify(terms.brokerUrl)}`]),
    ].join('\n'),
  })

/** The terms in the `remote` part of a policy; undefined for what other writers put there. */
export function termsOf(remote: string): ReleaseTerms {
  const value = (name: string): string | undefined => {
    const line = remote.split('\n').find((one) => one.startsWith(`${name} = `))
    const parsed = line === undefined ? undefined : parseJson(line.slice(name.length + 3), name)
    return parsed?.ok && typeof parsed.value === 'string' ? parsed.value : undefined
  }
  return { policyDigest: value('policy_digest'), brokerUrl: value('broker_url') }
}

/** @throws TypeError where the digest is not one, or the URL is not https */
export function checkTerms({ policyDigest, brokerUrl }: ReleaseTerms): void {
  if (policyDigest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(policyDigest))
    throw new TypeError('policyDigest is "sha256:" and 64 lower-case hexadecimal digits')
  if (brokerUrl !== undefined && !(URL.canParse(brokerUrl) && new URL(brokerUrl).protocol === 'https:'))
    throw new TypeError('brokerUrl is an https URL')
}

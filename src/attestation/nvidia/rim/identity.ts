import { latin1 } from '../../../core/bytes.ts'
import { fail, type Outcome, ok } from '../../../core/outcome.ts'
import type { Held } from '../../collateral.ts'

/** What a manifest says it is for. */
export interface RimIdentity {
  readonly version: string
  readonly product: string
  readonly edition: string
}

/** Meta is the second child of a manifest and ends before byte 1,300 in every one read. */
const SEARCHED_BYTES = 4096

const META = /<(?:[A-Za-z][\w.-]{0,63}:)?Meta([ \t\r\n][^<>]*)>/
const attribute = (name: string): RegExp =>
  new RegExp(`[ \\t\\r\\n]${name}=(?:"([\\x20-\\x7e]{1,64}?)"|'([\\x20-\\x7e]{1,64}?)')`)
const ATTRIBUTES = {
  version: attribute('colloquialVersion'),
  product: attribute('product'),
  edition: attribute('edition'),
}

/**
 * What a file says it is for, without any proof and at little cost: good for choosing which files to authenticate, and for
 * nothing else. Where a file lies here, the manifest that `authenticateRim` gives says another version.
 * @returns the identity, or RIM_MALFORMED
 */
export function rimIdentityOf(file: Held<Uint8Array>): Outcome<RimIdentity> {
  const meta = META.exec(latin1(file.value.subarray(0, SEARCHED_BYTES)))?.[1] ?? ''
  const found = (pattern: RegExp) => {
    const [, double, single] = pattern.exec(meta) ?? []
    return double ?? single
  }
  const version = found(ATTRIBUTES.version)
  const product = found(ATTRIBUTES.product)
  const edition = found(ATTRIBUTES.edition)
  if (version === undefined || product === undefined || edition === undefined) {
    return fail('RIM_MALFORMED', file.sha256, { expected: 'Meta with colloquialVersion, product and edition' })
  }
  return ok({ version, product, edition })
}

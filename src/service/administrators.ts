import { createHash, timingSafeEqual } from 'node:crypto'
import { fail, type Outcome, ok } from '../core/outcome.ts'

/** One who may administer a tenant's keys. A token is known by its digest alone: the configuration gives nobody access. */
export interface Administrator {
  /** named in the audit log */
  readonly name: string
  /** whose keys; `*` for those who open and close leases for the marketplace, and administer no keys */
  readonly tenant: string
  /** SHA-256 of the token, hex */
  readonly tokenSha256: string
}

/** Tenant of the tokens that open and close leases. */
const MARKETPLACE = '*'
const MOST_TOKEN_CHARACTERS = 512
const digestOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** Who asks, by bearer tokens. Every token is compared with every digest, in the same time whichever it is. */
export class Administrators {
  readonly #known: readonly { readonly administrator: Administrator; readonly digest: Buffer }[]

  /** @throws TypeError for a digest that is none, or two administrators of one name for one tenant */
  constructor(administrators: readonly Administrator[]) {
    const seen = new Set<string>()
    this.#known = administrators.map((administrator) => {
      const { name, tenant, tokenSha256 } = administrator
      if (!/^[0-9a-f]{64}$/.test(tokenSha256)) throw new TypeError(`${name}: tokenSha256 is 64 hexadecimal digits`)
      const id = JSON.stringify([name.toLowerCase(), tenant])
      if (seen.has(id) || seen.has(tokenSha256)) throw new TypeError(`${name}: a name and a token for each`)
      seen.add(id).add(tokenSha256)
      return { administrator, digest: Buffer.from(tokenSha256, 'hex') }
    })
  }

  /**
   * An administrator of this tenant's keys. A path may say `*` too, which is no tenant.
   * @param header `Bearer …`, as it came
   * @returns who it is, or SERVICE_TOKEN_REFUSED · SERVICE_TENANT_FORBIDDEN
   */
  of(header: string | undefined, tenant: string): Outcome<Administrator> {
    const found = this.#named(header, tenant)
    return found.ok && tenant === MARKETPLACE ? fail('SERVICE_TENANT_FORBIDDEN', 'authorization') : found
  }

  /** One who opens and closes leases. @returns as `of` */
  ofMarketplace(header: string | undefined): Outcome<Administrator> {
    return this.#named(header, MARKETPLACE)
  }

  #named(header: string | undefined, tenant: string): Outcome<Administrator> {
    const token = /^Bearer ([\x21-\x7e]+)$/i.exec(header ?? '')?.[1]
    if (token === undefined || token.length > MOST_TOKEN_CHARACTERS)
      return fail('SERVICE_TOKEN_REFUSED', 'authorization')
    const digest = digestOf(token)
    const found = this.#known.filter((known) => timingSafeEqual(known.digest, digest))
    const [first] = found
    if (first === undefined) return fail('SERVICE_TOKEN_REFUSED', 'authorization')
    return first.administrator.tenant === tenant
      ? ok(first.administrator)
      : fail('SERVICE_TENANT_FORBIDDEN', 'authorization')
  }
}

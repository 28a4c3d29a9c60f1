import type { NonEmpty } from '../outcome.ts'
import type { Certificate } from './certificate.ts'

/**
 * Remembers what was found out about a chain and depends on nothing but its certificates: never on the time, on revocation,
 * on anchors or on a policy. One entry per leaf, as long as the leaf itself lives, so it holds no more than the cache of
 * decoded certificates does.
 */
export class ChainMemo<T> {
  readonly #byLeaf = new WeakMap<Certificate, { readonly chain: NonEmpty<Certificate>; readonly found: T }>()

  /** What was remembered of exactly these certificates in this order. */
  get(chain: NonEmpty<Certificate>): T | undefined {
    const last = this.#byLeaf.get(chain[0])
    const isSame = last?.chain.length === chain.length && last.chain.every((c, i) => c === chain[i])
    return isSame ? last.found : undefined
  }

  /** Only for what holds: a refusal names a path that belongs to whoever asked. */
  set(chain: NonEmpty<Certificate>, found: T): T {
    this.#byLeaf.set(chain[0], { chain, found })
    return found
  }
}

import type { CollateralSet } from '../../attestation/collateral.ts'
import { Context, createVerificationCache } from '../../core/context.ts'
import { nodeCrypto } from '../../core/crypto/node.ts'
import type { Finding } from '../../core/outcome.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import type { NamesByDigest } from '../../selftest/ahead.ts'
import { stateOf } from '../../selftest/layers.ts'
import type { Chain, ChainLink } from '../../selftest/report.ts'
import { inspectCollateral } from '../inspect/collateral.ts'
import type { CertificateView, CollateralView } from '../inspect/model.ts'
import { inspect } from '../inspect/read.ts'

/** Digests and decoding only: no anchors, and a time that no check asks for. */
const reading = (): Context =>
  new Context({ now: 0, anchors: [], crypto: nodeCrypto, cache: createVerificationCache() })

interface Seen {
  readonly items: readonly {
    readonly id: string
    readonly kind: string
    readonly certificates: readonly CertificateView[]
  }[]
  readonly collateral: readonly CollateralView[]
}

async function look(evidence: Uint8Array, collateral: CollateralSet): Promise<Seen> {
  const [seen, given] = await Promise.all([
    inspect([{ name: 'evidence', bytes: evidence }]),
    inspectCollateral(collateral, reading()),
  ])
  const inside = seen.ok ? seen.value : { items: [], collateral: [] }
  return { items: inside.items, collateral: [...inside.collateral, ...given.views] }
}

const certificatesIn = (views: readonly CollateralView[]): readonly CertificateView[] =>
  views.flatMap((view) => (view.kind === 'certificates' ? view.certificates : []))

/** What people call the objects that evidence and collateral hold. */
export async function namesOf(evidence: Uint8Array, collateral: CollateralSet): Promise<NamesByDigest> {
  const { items, collateral: views } = await look(evidence, collateral)
  const certificates = [...items.flatMap((item) => item.certificates), ...certificatesIn(views)]
  return new Map([
    ...certificates.map((c): [string, string] => [c.sha256, c.commonName]),
    ...views.flatMap((view): [string, string][] => (view.kind === 'crl' ? [[view.sha256, `of ${view.issuer}`]] : [])),
  ])
}

/** For each item, the way from its root to the certificate whose key signed it, as the certificates name one another. */
export async function chainsOf(
  evidence: Uint8Array,
  collateral: CollateralSet,
  judged: readonly Finding[],
  injected: readonly TrustAnchor[],
): Promise<readonly Chain[]> {
  const { items, collateral: views } = await look(evidence, collateral)
  const given = certificatesIn(views)
  const isDevice = ({ kind }: { readonly kind: string }) => kind.startsWith('nvidia/')
  const cpusFirst = [...items].sort((a, b) => Number(isDevice(a)) - Number(isDevice(b)))
  return cpusFirst.flatMap((item): Chain[] => {
    const links = climb(item.certificates, given, injected)
    const findings = judged.filter((f) => f.item === item.id)
    return links.length === 0 ? [] : [{ item: item.id, kind: item.kind, state: stateOf(findings), links }]
  })
}

/** The longest chain holds no more than these. */
const MOST_LINKS = 8

function climb(
  own: readonly CertificateView[],
  given: readonly CertificateView[],
  injected: readonly TrustAnchor[],
): readonly ChainLink[] {
  const all = [...own, ...given]
  const pool = own.length === 0 ? given : own
  // Nothing that is here was signed by the leaf.
  const leaf = pool.find((c) => !c.ca && !c.selfIssued) ?? pool.find((c) => !all.some((o) => o.issuer === c.subject))
  if (leaf === undefined) return []
  const path = [leaf]
  for (let at: CertificateView | undefined = leaf; at !== undefined && path.length < MOST_LINKS; ) {
    const below: CertificateView = at
    const above = below.selfIssued ? undefined : all.find((c) => c.subject === below.issuer && !path.includes(c))
    if (above !== undefined) path.push(above)
    at = above
  }
  const links = path.map((c): ChainLink => linkOf(c, injected)).reverse()
  const [top] = path.slice(-1)
  if (top === undefined || top.selfIssued) return links
  return [...(top.pinnedIssuer === undefined ? [] : [pinnedLink(top.pinnedIssuer)]), ...links]
}

function linkOf(view: CertificateView, injected: readonly TrustAnchor[]): ChainLink {
  const isInjected = injected.some((a) => a.certificateSha256 === view.sha256)
  const anchor = view.pinned !== undefined ? 'pinned' : isInjected ? 'injected' : 'none'
  return { name: view.commonName, notAfter: view.notAfter, anchor }
}

/** The vendor's root, where its certificate did not travel: it is known here anyway. */
const pinnedLink = (name: string): ChainLink => ({ name, notAfter: '', anchor: 'pinned' })

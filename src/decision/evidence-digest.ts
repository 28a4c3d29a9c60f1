import type { EvidenceSet } from '../attestation/evidence.ts'
import type { ItemJudgement } from '../attestation/kind.ts'
import { verifierOf } from '../attestation/registry.ts'
import { concatBytes, utf8 } from '../core/bytes.ts'
import type { Context } from '../core/context.ts'
import { toHex } from '../core/encodings.ts'
import { canonicalJson, type JsonObject } from '../core/json.ts'

/**
 * Over what the judgement read: the carrier's own claims, and kind and bytes of every item with what travelled beside it;
 * zeros behind a quote of Intel's, which its buffer leaves there, are no part of it. Not the digest of a file, an identity of nothing, and no replay key.
 */
export async function evidenceDigest(
  context: Context,
  set: EvidenceSet,
  judgements: readonly ItemJudgement[],
): Promise<string> {
  const items = await Promise.all(
    set.items.map(async (i, at) => ({
      id: i.id,
      kind: i.kind,
      sha256: await context.digestHex('sha256', judgements[at]?.unpadded ?? verifierOf(i.kind).withoutPadding(i.bytes)),
      endorsements: await Promise.all(i.endorsements.map((e) => context.digestHex('sha256', e))),
      ...(i.eventLogs === undefined
        ? {}
        : { eventLogs: await Promise.all(i.eventLogs.map((log) => context.digestHex('sha256', log))) }),
      ...(i.unread === undefined ? {} : { unread: await context.digestHex('sha256', i.unread) }),
      ...(i.runtimeData === undefined
        ? {}
        : { runtimeData: await context.digestHex('sha256', i.runtimeData.bytes), runtimeHash: i.runtimeData.hash }),
    })),
  )
  return `sha256:${await context.digestHex('sha256', utf8(canonicalJson({ ...(await carrierClaims(context, set)), items })))}`
}

async function carrierClaims(context: Context, set: EvidenceSet): Promise<JsonObject> {
  const { carrier, binding, platformLabel, tlsBound, tlsSpki, key, runtimeData, initData } = set
  return {
    carrier,
    binding,
    ...(platformLabel === undefined ? {} : { platformLabel }),
    ...(tlsBound === undefined ? {} : { tlsBound }),
    ...(tlsSpki === undefined ? {} : { tlsSpki: await context.digestHex('sha256', tlsSpki) }),
    ...(runtimeData === undefined
      ? {}
      : { runtimeData: await context.digestHex('sha256', utf8(canonicalJson({ ...runtimeData }))) }),
    ...(initData === undefined ? {} : { initData: await context.digestHex('sha256', initData.body) }),
    ...(key === undefined ? {} : { key: { domain: key.domain, spki: await context.digestHex('sha256', key.spki) } }),
  }
}

/** Digest of what arrived, before any envelope was opened. */
export async function inputDigest(
  context: Context,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<string> {
  const parts = await Promise.all(
    files.map(async (f) => concatBytes(utf8(`${f.name}\0`), await context.digest('sha256', f.bytes))),
  )
  return `sha256:${toHex(await context.digest('sha256', concatBytes(...parts)))}`
}

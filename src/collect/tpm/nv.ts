import { concatBytes } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import { BY_PASSWORD, type Esys, handleOf, NO_SESSIONS, TR, wireOf } from './esys.ts'
import { ALG, sized, u16, u32, unsized } from './wire.ts'

/** Every TPM reads and writes this much at once (TPM_PT_NV_BUFFER_MAX is at least 512 on PC clients). */
const NV_CHUNK_BYTES = 512
/** TPMA_NV_OWNERWRITE, TPMA_NV_OWNERREAD */
const NV_OWNER_READS_AND_WRITES = 0x0002_0002

const NO_NV: ReadonlyMap<number, Code> = new Map([[0x08b, 'COLLECT_TPM_NV_ABSENT']])

/** Everything that stands at an NV index, by the owner's authorisation, or COLLECT_TPM_NV_ABSENT. */
export function readNv(esys: Esys, index: number): Promise<Outcome<Uint8Array>> {
  return atNv(esys, index, async (handle) => {
    const area = take(
      await esys.run('NV_ReadPublic', [{ u32: handle }, ...NO_SESSIONS, { want: 'TPM2B_NV_PUBLIC' }, 'dropped'], NO_NV),
    )
    const size = dataSizeOf(wireOf(area))
    const chunks: Uint8Array[] = []
    for (let offset = 0; offset < size; offset += NV_CHUNK_BYTES) {
      const read = await esys.run('NV_Read', [
        { u32: TR.owner },
        { u32: handle },
        ...BY_PASSWORD,
        { u16: Math.min(NV_CHUNK_BYTES, size - offset) },
        { u16: offset },
        { want: 'TPM2B_MAX_NV_BUFFER' },
      ])
      chunks.push(unsized(wireOf(take(read))))
    }
    return concatBytes(...chunks)
  })
}

/** Writes to the beginning of an NV index, which is defined for the owner where it is not there yet. */
export function writeNv(esys: Esys, index: number, bytes: Uint8Array): Promise<Outcome<void>> {
  return attemptAsync(async () => {
    const write = () =>
      atNv(esys, index, async (handle) => {
        take(
          await esys.run('NV_Write', [
            { u32: TR.owner },
            { u32: handle },
            ...BY_PASSWORD,
            { give: 'TPM2B_MAX_NV_BUFFER', wire: sized(bytes) },
            { u16: 0 },
          ]),
        )
      })
    const written = await write()
    if (written.ok || written.faults[0].code !== 'COLLECT_TPM_NV_ABSENT') return take(written)
    await defineNv(esys, index, bytes.length)
    take(await write())
  })
}

async function defineNv(esys: Esys, index: number, size: number): Promise<void> {
  const area = concatBytes(
    u32(index),
    u16(ALG.sha256),
    u32(NV_OWNER_READS_AND_WRITES),
    sized(new Uint8Array()),
    u16(size),
  )
  const defined = take(
    await esys.run('NV_DefineSpace', [
      { u32: TR.owner },
      ...BY_PASSWORD,
      { give: 'TPM2B_DIGEST', wire: sized(new Uint8Array()) },
      { give: 'TPM2B_NV_PUBLIC', wire: sized(area) },
      'handle',
    ]),
  )
  await forget(esys, handleOf(defined))
}

function atNv<T>(esys: Esys, index: number, use: (handle: number) => Promise<T>): Promise<Outcome<T>> {
  return attemptAsync(async () => {
    const found = await esys.run('TR_FromTPMPublic', [{ u32: index }, ...NO_SESSIONS, 'handle'], NO_NV)
    if (!found.ok && found.faults[0].code === 'COLLECT_TPM_NV_ABSENT')
      return refuse('COLLECT_TPM_NV_ABSENT', `0x${index.toString(16)}`, { actual: found.faults[0].actual ?? '' })
    const handle = handleOf(take(found))
    try {
      return await use(handle)
    } finally {
      await forget(esys, handle)
    }
  })
}

/** Only the library's memory of the index; the TPM keeps it. */
async function forget(esys: Esys, handle: number): Promise<void> {
  take(await esys.run('TR_Close', [{ handleAt: handle }]))
}

/** TPMS_NV_PUBLIC ends in its dataSize. */
const dataSizeOf = (area: Uint8Array): number => ((area.at(-2) ?? 0) << 8) | (area.at(-1) ?? 0)

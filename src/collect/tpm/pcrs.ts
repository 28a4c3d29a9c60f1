import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type Argument, type Esys, NO_SESSIONS, wireOf } from './esys.ts'
import { ALG, digestsOf, type PcrBank, pcrSelection, selectedRegisters } from './wire.ts'

const CAP_PCRS = 5
const CAP_PROPERTIES = 6
const PT_MANUFACTURER = 0x105

/** Who made the TPM: four characters, e.g. `IBM`, `MSFT`, `INTC`. */
export function manufacturer(esys: Esys): Promise<Outcome<string>> {
  return attemptAsync(async () => {
    const properties = await capability(esys, CAP_PROPERTIES, PT_MANUFACTURER, 1)
    // capability u32, count u32, property u32, value u32
    return new TextDecoder('latin1').decode(properties.subarray(12, 16)).replace(/[\0 ]+$/, '')
  })
}

/** Banks that hold any register. */
export function banks(esys: Esys): Promise<Outcome<readonly PcrBank[]>> {
  return attemptAsync(async () => {
    const selections = await capability(esys, CAP_PCRS, 0, 1)
    const view = new DataView(selections.buffer, selections.byteOffset, selections.byteLength)
    const banks: PcrBank[] = []
    let at = 8
    for (let left = view.getUint32(4); left > 0; left--) {
      const size = selections[at + 2] ?? 0
      const isUsed = selections.subarray(at + 3, at + 3 + size).some((byte) => byte !== 0)
      const bank = (['sha1', 'sha256', 'sha384', 'sha512'] as const).find((b) => ALG[b] === view.getUint16(at))
      if (isUsed && bank !== undefined) banks.push(bank)
      at += 3 + size
    }
    return banks
  })
}

async function capability(esys: Esys, capability: number, property: number, count: number): Promise<Uint8Array> {
  const asked: Argument[] = [{ u32: capability }, { u32: property }, { u32: count }, 'number']
  return wireOf(take(await esys.run('GetCapability', [...NO_SESSIONS, ...asked, { want: 'TPMS_CAPABILITY_DATA' }])))
}

/** Values of these registers, which a quote of the same selection should hash to. A TPM gives eight at a time. */
export function readPcrs(
  esys: Esys,
  bank: PcrBank,
  registers: readonly number[],
): Promise<Outcome<ReadonlyMap<number, Uint8Array>>> {
  return attemptAsync(async () => {
    const values = new Map<number, Uint8Array>()
    let left = [...registers]
    while (left.length > 0) {
      const { wires } = take(
        await esys.run('PCR_Read', [
          ...NO_SESSIONS,
          { give: 'TPML_PCR_SELECTION', wire: pcrSelection(bank, left) },
          'number',
          { want: 'TPML_PCR_SELECTION' },
          { want: 'TPML_DIGEST' },
        ]),
      )
      const [selection = new Uint8Array(4), digests = new Uint8Array(4)] = wires
      const read = selectedRegisters(selection)
      const found = digestsOf(digests)
      if (read.length === 0 || read.length !== found.length)
        return refuse('COLLECT_TPM_PCR_ABSENT', `tpm.${bank}`, { expected: left.join(', '), actual: read.join(', ') })
      for (const [i, register] of read.entries()) values.set(register, found[i] ?? new Uint8Array())
      left = left.filter((register) => !values.has(register))
    }
    return values
  })
}

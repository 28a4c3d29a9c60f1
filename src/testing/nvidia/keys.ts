import type { TestKey } from '../pki/keys.ts'
import { rememberedKey } from '../pki/remembered.ts'

/** P-384 key of the NVIDIA hierarchies, derived from its label. */
export const p384Key = (label: string): TestKey => rememberedKey('P-384', `nvidia/${label}`)

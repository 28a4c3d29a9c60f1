import { safe } from '../style.ts'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text for content and quoted attributes of HTML; what a reader could not see is written out. */
export const escapeHtml = (text: string): string => safe(text).replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c)

/** A field line. */
export interface Field {
  readonly name: string;
  readonly value: string;
}

/** The fields of a head that rules look at and may change, as text read byte for byte (ISO 8859-1). */
export class FieldList {
  readonly fields: Field[] = [];
  /** Something is no longer what came. */
  isEdited = false;

  /** The first field of that name, which is in lower case. */
  valueOf(name: string): string | null {
    return this.fields.find((field) => field.name.toLowerCase() === name)?.value ?? null;
  }

  addField(name: string, value: string): void {
    this.fields.push({ name, value });
    this.isEdited = true;
  }

  deleteField(name: string): void {
    const wanted = name.toLowerCase();
    this.keepFields((field) => field.name.toLowerCase() !== wanted);
  }

  /** Those for which it is false are gone. */
  keepFields(stays: (field: Field) => boolean): void {
    for (let i = this.fields.length - 1; i >= 0; i--) {
      if (stays(this.fields[i])) continue;
      this.fields.splice(i, 1);
      this.isEdited = true;
    }
  }

  /** Each field of that name, which is in lower case, gets another value; null: it is gone. */
  replaceFields(name: string, replace: (value: string) => string | null): void {
    for (let i = this.fields.length - 1; i >= 0; i--) {
      const field = this.fields[i];
      if (field.name.toLowerCase() !== name) continue;
      const value = replace(field.value);
      if (value === null) this.fields.splice(i, 1);
      else this.fields[i] = { name: field.name, value };
      this.isEdited = true;
    }
  }

  protected lines(): string {
    return this.fields.map(({ name, value }) => `${name}: ${value}\r\n`).join("");
  }
}

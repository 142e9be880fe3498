using System.Buffers.Binary;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Mutation;

/// <summary>
/// An UPDATE's body taken apart without judging it, so that attributes can be moved, doubled and swapped between messages while all lengths still
/// add up: octets changed by chance alone seldom get past the first length.
/// </summary>
public sealed class LooseUpdate
{
    private readonly List<Tlv> _attributes = [];
    private byte[] _withdrawn = [];
    private byte[] _stray = [];
    private byte[] _nlri = [];

    private readonly record struct Tlv(byte Flags, byte Type, byte[] Value);

    /// <summary>Takes a body apart. What cannot be followed stays as it is, as octets behind the attributes.</summary>
    public void Parse(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> rest = body;
        _withdrawn = TakeField(ref rest);
        byte[] attributes = TakeField(ref rest);
        _nlri = rest.ToArray();
        ParseAttributes(attributes);
    }

    /// <summary>Takes a run of attributes apart, as the whole of a message without prefixes.</summary>
    public void ParseAttributes(ReadOnlySpan<byte> attributes)
    {
        _attributes.Clear();
        while (attributes.Length >= 3)
        {
            bool wide = (attributes[0] & 0x10) != 0;
            int header = wide ? 4 : 3;
            int length = !wide ? attributes[2] : attributes.Length < 4 ? int.MaxValue : BinaryPrimitives.ReadUInt16BigEndian(attributes[2..]);
            if (length > attributes.Length - header)
            {
                break;
            }

            _attributes.Add(new(attributes[0], attributes[1], attributes.Slice(header, length).ToArray()));
            attributes = attributes[(header + length)..];
        }

        _stray = attributes.ToArray();
    }

    /// <summary>Changes the list of attributes; <paramref name="donor"/> gives some of its own.</summary>
    public void Mutate(FuzzRandom random, LooseUpdate donor)
    {
        ArgumentNullException.ThrowIfNull(random);
        ArgumentNullException.ThrowIfNull(donor);
        for (int i = random.Between(1, 3); i > 0; i--)
        {
            Once(random, donor);
        }
    }

    /// <summary>Appends the body, one length wrong now and then.</summary>
    public void Write(InputBuffer input, FuzzRandom random)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(random);
        input.AppendUInt16(_withdrawn.Length + Slip(random));
        input.Append(_withdrawn);
        int length = _stray.Length;
        foreach (Tlv attribute in _attributes)
        {
            length += attribute.Value.Length + (IsWide(attribute) ? 4 : 3);
        }

        input.AppendUInt16(length + Slip(random));
        WriteAttributes(input, random);
        input.Append(_nlri);
    }

    /// <summary>Appends the attributes alone.</summary>
    public void WriteAttributes(InputBuffer input, FuzzRandom random)
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(random);
        foreach (Tlv attribute in _attributes)
        {
            bool wide = IsWide(attribute);
            input.Append((byte)(wide ? attribute.Flags | 0x10 : attribute.Flags));
            input.Append(attribute.Type);
            int length = attribute.Value.Length + Slip(random);
            if (wide)
            {
                input.AppendUInt16(length);
            }
            else
            {
                input.Append((byte)length);
            }

            input.Append(attribute.Value);
        }

        input.Append(_stray);
    }

    private void Once(FuzzRandom random, LooseUpdate donor)
    {
        int at = random.Below(_attributes.Count);
        bool any = _attributes.Count > 0;
        switch (random.Below(12))
        {
            case 0 when any:
                _attributes.Insert(random.Below(_attributes.Count + 1), _attributes[at]);
                break;
            case 1 when any:
                _attributes.RemoveAt(at);
                break;
            case 2 when any:
                int other = random.Below(_attributes.Count);
                (_attributes[at], _attributes[other]) = (_attributes[other], _attributes[at]);
                break;
            case 3 when any:
                _attributes[at] = _attributes[at] with { Flags = random.OneIn(2) ? random.Octet() : (byte)(_attributes[at].Flags ^ (1 << random.Between(4, 7))) };
                break;
            case 4 when any:
                _attributes[at] = _attributes[at] with { Type = random.OneIn(2) ? random.Octet() : AttributeMaker.AnyType(random) };
                break;
            case 5 or 6 when any:
                _attributes[at] = _attributes[at] with { Value = ChangeValue(_attributes[at].Value, random) };
                break;
            case 7 or 8 when donor._attributes.Count > 0:
                Put(random.Pick(donor._attributes), random);
                break;
            case 9:
                (_nlri, _withdrawn) = random.Below(3) switch
                {
                    0 => (donor._nlri, _withdrawn),
                    1 => (_nlri, donor._nlri),
                    _ => (ChangeValue(_nlri, random), _withdrawn),
                };
                break;
            default:
                (byte flags, byte type, byte[] value) = AttributeMaker.Make(random);
                var made = new Tlv(flags, type, value);
                if (random.OneIn(4))
                {
                    _attributes.Insert(random.Below(_attributes.Count + 1), made);
                }
                else
                {
                    Put(made, random);
                }

                break;
        }
    }

    /// <summary>In place of the one of its type if there is one: a second one would be ignored.</summary>
    private void Put(Tlv attribute, FuzzRandom random)
    {
        int same = _attributes.FindIndex(a => a.Type == attribute.Type);
        if (same >= 0)
        {
            _attributes[same] = attribute;
        }
        else
        {
            _attributes.Insert(random.Below(_attributes.Count + 1), attribute);
        }
    }

    private static byte[] ChangeValue(byte[] value, FuzzRandom random)
    {
        byte[] changed = (byte[])value.Clone();
        switch (random.Below(4))
        {
            case 0:
                return changed[..random.Below(changed.Length + 1)];
            case 1:
                byte[] more = new byte[random.Between(1, 8)];
                random.Fill(more);
                return [.. changed, .. more];
            default:
                if (changed.Length > 0)
                {
                    changed[random.Below(changed.Length)] ^= (byte)(1 << random.Below(8));
                }

                return changed;
        }
    }

    private static bool IsWide(Tlv attribute) => attribute.Value.Length > byte.MaxValue || (attribute.Flags & 0x10) != 0;

    private static int Slip(FuzzRandom random) => random.OneIn(48) ? random.Between(-3, 3) : 0;

    private static byte[] TakeField(ref ReadOnlySpan<byte> rest)
    {
        int length = rest.Length < 2 ? 0 : Math.Min(BinaryPrimitives.ReadUInt16BigEndian(rest), rest.Length - 2);
        byte[] field = rest.Slice(Math.Min(2, rest.Length), length).ToArray();
        rest = rest[Math.Min(rest.Length, 2 + length)..];
        return field;
    }
}

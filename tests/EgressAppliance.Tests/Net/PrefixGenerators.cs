using EgressAppliance.Net;
using FsCheck;
using FsCheck.Fluent;

namespace EgressAppliance.Tests.Net;

/// <summary>A step of a random history of a table.</summary>
/// <param name="Remove">Take the prefix away instead of adding it.</param>
/// <param name="Prefix">The prefix.</param>
public readonly record struct TableStep(bool Remove, IpPrefix Prefix);

/// <summary>
/// Random prefixes that meet: their addresses differ in few bits, at places where the lookup structures change from one level to the next,
/// so that a short history has deep nesting, removals that hit and blocks that come and go.
/// </summary>
internal static class PrefixGenerators
{
    private static readonly int[] Lengths4 = [8, 16, 22, 23, 24, 25, 26, 31, 32];
    private static readonly int[] Lengths6 = [16, 19, 20, 21, 24, 25, 31, 32, 33, 40, 47, 48, 49, 56, 57, 63, 64, 65, 72, 96, 119, 120, 121, 127, 128];

    public static Gen<IpAddr> Address(IpFamily family)
    {
        ulong high = family == IpFamily.IPv4 ? 0xC000_0280_0000_0000 : 0x2001_0DB8_0000_0000;
        Gen<int> bit = Gen.Choose(0, family == IpFamily.IPv4 ? 31 : 127);
        return from count in Gen.Choose(0, 4)
               from flips in bit.ArrayOf(count)
               select Flip(family, high, flips);
    }

    public static Gen<IpPrefix> Prefix(IpFamily family)
    {
        int bits = family == IpFamily.IPv4 ? 32 : 128;
        Gen<int> length = Gen.Frequency(
            (1, Gen.Elements(0, 1)),
            (25, Gen.Elements(family == IpFamily.IPv4 ? Lengths4 : Lengths6)),
            (15, Gen.Choose(2, bits)));
        return from address in Address(family)
               from l in length
               select IpPrefix.Create(address, l);
    }

    public static Gen<TableStep> Step(IpFamily family) =>
        from remove in Gen.Frequency((3, Gen.Constant(false)), (2, Gen.Constant(true)))
        from prefix in Prefix(family)
        select new TableStep(remove, prefix);

    public static Gen<TableStep[]> History(IpFamily family) =>
        from size in Gen.Choose(1, 300)
        from steps in Step(family).ArrayOf(size)
        select Revisit(steps);

    public static Gen<IpFamily> Family() => Gen.Elements(IpFamily.IPv4, IpFamily.IPv6);

    /// <summary>The addresses at which an answer can change: first, last, and one beyond either end of each prefix.</summary>
    public static IEnumerable<IpAddr> Edges(IpPrefix prefix)
    {
        UInt128 ones = prefix.Family == IpFamily.IPv4 ? UInt128.MaxValue << 96 : UInt128.MaxValue;
        UInt128 step = prefix.Family == IpFamily.IPv4 ? (UInt128)1 << 96 : 1;
        UInt128 first = new(prefix.Address.High, prefix.Address.Low);
        UInt128 last = first | (prefix.Length == 0 ? ones : (ones >> prefix.Length) & ones);
        foreach (UInt128 value in (UInt128[])[first, last, unchecked(first - step), unchecked(last + step)])
        {
            yield return IpAddr.FromBits(prefix.Family, (ulong)(value >> 64), (ulong)value);
        }
    }

    private static IpAddr Flip(IpFamily family, ulong high, int[] flips)
    {
        UInt128 value = new(high, 0);
        foreach (int bit in flips)
        {
            value ^= UInt128.One << (127 - bit);
        }

        return IpAddr.FromBits(family, (ulong)(value >> 64), (ulong)value);
    }

    // Most random removals would miss: let three of four take the prefix of an earlier step.
    private static TableStep[] Revisit(TableStep[] steps)
    {
        for (int i = 1; i < steps.Length; i++)
        {
            if (steps[i].Remove && i % 4 != 0)
            {
                steps[i] = steps[i] with { Prefix = steps[steps[i].Prefix.Length * 7919 % i].Prefix };
            }
        }

        return steps;
    }
}

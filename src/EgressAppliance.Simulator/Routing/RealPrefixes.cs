using System.Globalization;
using System.IO.Compression;
using EgressAppliance.Net;

namespace EgressAppliance.Simulator.Routing;

/// <summary>A prefix and the AS that originates it.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="OriginAs">Its origin AS.</param>
public readonly record struct OriginatedPrefix(IpPrefix Prefix, uint OriginAs);

/// <summary>The embedded sample of real prefixes; Resources/README.md tells where they come from.</summary>
public static class RealPrefixes
{
    /// <summary>Reads all of them: both families, sorted, a covering prefix before what it covers.</summary>
    /// <exception cref="InvalidDataException">The embedded file is damaged.</exception>
    public static IReadOnlyList<OriginatedPrefix> Load()
    {
        using Stream packed = typeof(RealPrefixes).Assembly.GetManifestResourceStream("prefixes.txt.gz")
            ?? throw new InvalidDataException("The embedded prefix table is missing.");
        using StreamReader lines = new(new GZipStream(packed, CompressionMode.Decompress));
        List<OriginatedPrefix> all = [];
        while (lines.ReadLine() is { } line)
        {
            int space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space < 0 || !IpPrefix.TryParse(line.AsSpan(0, space), out IpPrefix prefix)
                || !uint.TryParse(line.AsSpan(space + 1), NumberStyles.None, CultureInfo.InvariantCulture, out uint origin))
            {
                throw new InvalidDataException($"The embedded prefix table has a bad line: '{line}'.");
            }

            all.Add(new(prefix, origin));
        }

        return all;
    }
}

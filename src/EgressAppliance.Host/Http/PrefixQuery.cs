using System.Buffers.Text;
using System.Globalization;
using System.Text;
using EgressAppliance.Net;

namespace EgressAppliance.Host.Http;

/// <summary>Which prefixes are asked for, of those with the largest rates.</summary>
/// <param name="Top">How many at most.</param>
/// <param name="Link">Only those that leave by this link, or null.</param>
/// <param name="OriginAs">Only those of this origin AS, or null.</param>
/// <param name="Text">Only those that contain this address, or whose text contains this, or null.</param>
/// <param name="After">Only those after this place, or null.</param>
public sealed record PrefixQuery(int Top, string? Link = null, uint? OriginAs = null, string? Text = null, PrefixCursor? After = null);

/// <summary>
/// A place in the list of prefixes by rate: the last that was read. Rates move between two pages; nothing is then worse than that a
/// prefix stands on both or on neither.
/// </summary>
/// <param name="RateBps">Its rate.</param>
/// <param name="Prefix">The prefix.</param>
public sealed record PrefixCursor(long RateBps, string Prefix)
{
    /// <summary>As it stands in an address.</summary>
    public override string ToString() =>
        Base64Url.EncodeToString(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{RateBps} {Prefix}")));

    /// <summary>Reads what <see cref="ToString"/> wrote; null for anything else.</summary>
    public static PrefixCursor? Parse(string text)
    {
        byte[] bytes;
        try
        {
            bytes = Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return null;
        }

        string plain = Encoding.ASCII.GetString(bytes);
        int space = plain.IndexOf(' ', StringComparison.Ordinal);
        return space > 0 && long.TryParse(plain.AsSpan(0, space), NumberStyles.None, CultureInfo.InvariantCulture, out long rate)
            && IpPrefix.TryParse(plain.AsSpan(space + 1), out IpPrefix prefix)
            ? new PrefixCursor(rate, prefix.ToString())
            : null;
    }
}

/// <summary>What a <see cref="PrefixQuery"/> found.</summary>
/// <param name="Prefixes">By rate, largest first.</param>
/// <param name="More">Whether there are more after them.</param>
public sealed record PrefixPage(IReadOnlyList<PrefixDto> Prefixes, bool More);

/// <summary><c>GET /api/v1/matrix</c>: which of the largest prefixes goes by which link, and by which it could go.</summary>
/// <param name="Time">When the rates were measured.</param>
/// <param name="Links">All links.</param>
/// <param name="Rows">Prefixes by rate, largest first.</param>
public sealed record MatrixDto(DateTimeOffset Time, IReadOnlyList<string> Links, IReadOnlyList<MatrixRowDto> Rows);

/// <summary>One prefix of the matrix.</summary>
/// <param name="Prefix">The prefix.</param>
/// <param name="OriginAs">Origin AS, 0 if unknown.</param>
/// <param name="RateBps">Its rate.</param>
/// <param name="NativeLink">The link plain BGP would choose, or null.</param>
/// <param name="Override">True if an override is in force for it.</param>
/// <param name="Cells">The links that it goes by or could go by.</param>
public sealed record MatrixRowDto(string Prefix, uint OriginAs, long RateBps, string? NativeLink, bool Override, IReadOnlyList<MatrixCellDto> Cells);

/// <summary>One prefix and one link.</summary>
/// <param name="Link">The link.</param>
/// <param name="RateBps">Rate of the prefix by it: all of it by the link that carried most of its bytes of late, 0 by the others.</param>
/// <param name="Path">True if the routers have a path for exactly the prefix by it.</param>
public sealed record MatrixCellDto(string Link, long RateBps, bool Path);

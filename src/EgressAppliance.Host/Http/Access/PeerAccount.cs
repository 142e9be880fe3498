using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;

namespace EgressAppliance.Host.Http.Access;

/// <summary>The account of the process at the other end of a unix socket (SO_PEERCRED, unix(7)), for the audit log.</summary>
public static class PeerAccount
{
    // From <asm-generic/socket.h>; struct ucred is three 32-bit numbers: pid, uid, gid.
    private const int SolSocket = 1;
    private const int SoPeerCred = 17;
    private const int UcredBytes = 12;
    private const int UidAt = 4;

    /// <summary>The account's name, <c>uid N</c> where it has none, or <c>unknown</c>.</summary>
    public static string Of(Socket? socket)
    {
        if (socket is null || !OperatingSystem.IsLinux())
        {
            return "unknown";
        }

        Span<byte> credentials = stackalloc byte[UcredBytes];
        try
        {
            if (socket.GetRawSocketOption(SolSocket, SoPeerCred, credentials) != UcredBytes)
            {
                return "unknown";
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return "unknown";
        }

        uint uid = BitConverter.IsLittleEndian
            ? BinaryPrimitives.ReadUInt32LittleEndian(credentials[UidAt..])
            : BinaryPrimitives.ReadUInt32BigEndian(credentials[UidAt..]);
        return NameOf(uid) ?? "uid " + uid.ToString(CultureInfo.InvariantCulture);
    }

    private static string? NameOf(uint uid)
    {
        try
        {
            // passwd(5): name:password:uid:…
            string wanted = uid.ToString(CultureInfo.InvariantCulture);
            return File.ReadLines("/etc/passwd").Select(l => l.Split(':')).FirstOrDefault(f => f.Length > 2 && f[2] == wanted)?[0];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

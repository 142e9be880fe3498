using System.Runtime.InteropServices;
using EgressAppliance.Capture.Interop;

namespace EgressAppliance.Capture.AfPacket;

/// <summary>The errors of packet sockets in the operator's words.</summary>
internal static class AfPacketErrors
{
    public static CaptureException NoSuchInterface(string name) =>
        new(CaptureError.NoSuchInterface, name, "no such interface");

    public static CaptureException InterfaceDown(string name) =>
        new(CaptureError.InterfaceDown, name, "the interface is down");

    public static CaptureException PermissionDenied(string name) =>
        new(CaptureError.PermissionDenied, name, "permission denied: capturing needs CAP_NET_RAW");

    /// <summary>The last system call of this thread failed.</summary>
    public static CaptureException FromLastError(string name, string doing)
    {
        int errno = Marshal.GetLastPInvokeError();
        return errno switch
        {
            LibC.EPerm or LibC.EAccess => PermissionDenied(name),
            LibC.ENoDev or LibC.ENxIo => NoSuchInterface(name),
            LibC.ENetDown => InterfaceDown(name),
            LibC.ENoMem => new(CaptureError.SystemCall, name, $"{doing}: not enough memory; a smaller ring may fit"),
            _ => new(CaptureError.SystemCall, name, $"{doing}: {Marshal.GetPInvokeErrorMessage(errno)}"),
        };
    }
}

namespace EgressAppliance.Capture;

/// <summary>Why a packet source could not be opened.</summary>
public enum CaptureError
{
    /// <summary>The file cannot be opened or read.</summary>
    FileUnreadable,

    /// <summary>The file is neither pcap nor pcapng.</summary>
    UnknownFileFormat,

    /// <summary>The kernel refused a packet socket: CAP_NET_RAW is missing.</summary>
    PermissionDenied,

    /// <summary>No network interface has this name.</summary>
    NoSuchInterface,

    /// <summary>The interface is administratively down.</summary>
    InterfaceDown,

    /// <summary>Frames of this kind of interface cannot be decoded.</summary>
    UnsupportedInterface,

    /// <summary>libpcap does not accept the filter expression.</summary>
    BadFilter,

    /// <summary>libpcap is not installed.</summary>
    LibpcapMissing,

    /// <summary>A setting is out of range or contradicts another one.</summary>
    BadOption,

    /// <summary>A system call failed for another reason; the message names both.</summary>
    SystemCall,
}

/// <summary>A packet source could not be opened. The message is written for the operator and names the file or interface.</summary>
public sealed class CaptureException : Exception
{
    /// <summary>An error without a reason; serializers want it.</summary>
    public CaptureException()
        : this(CaptureError.SystemCall, "?", "capture failed")
    {
    }

    /// <summary>An error with a message only.</summary>
    public CaptureException(string message)
        : this(CaptureError.SystemCall, "?", message)
    {
    }

    /// <summary>An error with a message and a cause only.</summary>
    public CaptureException(string message, Exception innerException)
        : this(CaptureError.SystemCall, "?", message, innerException)
    {
    }

    /// <summary>An error of the named source.</summary>
    public CaptureException(CaptureError error, string source, string reason, Exception? innerException = null)
        : base($"{source}: {reason}", innerException)
    {
        Error = error;
        SourceName = source;
        Reason = reason;
    }

    /// <summary>What kind of failure it is.</summary>
    public CaptureError Error { get; }

    /// <summary>The file or interface.</summary>
    public string SourceName { get; }

    /// <summary>The message without the source's name.</summary>
    public string Reason { get; }
}

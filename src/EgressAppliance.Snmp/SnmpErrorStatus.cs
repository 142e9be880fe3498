namespace EgressAppliance.Snmp;

/// <summary>error-status of a response (RFC 3416 section 3).</summary>
public enum SnmpErrorStatus
{
    /// <summary>The request was carried out.</summary>
    NoError = 0,

    /// <summary>The response would not fit into a message.</summary>
    TooBig = 1,

    /// <summary>Only from version 1 proxies.</summary>
    NoSuchName = 2,

    /// <summary>Only from version 1 proxies.</summary>
    BadValue = 3,

    /// <summary>Only from version 1 proxies.</summary>
    ReadOnly = 4,

    /// <summary>The agent failed to read a variable.</summary>
    GenErr = 5,

    /// <summary>The variable is not accessible.</summary>
    NoAccess = 6,

    /// <summary>Set: wrong type.</summary>
    WrongType = 7,

    /// <summary>Set: wrong length.</summary>
    WrongLength = 8,

    /// <summary>Set: wrong encoding.</summary>
    WrongEncoding = 9,

    /// <summary>Set: wrong value.</summary>
    WrongValue = 10,

    /// <summary>Set: cannot be created.</summary>
    NoCreation = 11,

    /// <summary>Set: inconsistent value.</summary>
    InconsistentValue = 12,

    /// <summary>Set: no resource.</summary>
    ResourceUnavailable = 13,

    /// <summary>Set: commit failed.</summary>
    CommitFailed = 14,

    /// <summary>Set: undo failed.</summary>
    UndoFailed = 15,

    /// <summary>The community has no access.</summary>
    AuthorizationError = 16,

    /// <summary>Set: not writable.</summary>
    NotWritable = 17,

    /// <summary>Set: inconsistent name.</summary>
    InconsistentName = 18,
}

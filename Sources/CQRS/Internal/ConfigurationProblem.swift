/// One thing that is wrong with the configuration of a bus.
struct ConfigurationProblem {
    let code: CQRSError.Code
    let text: String
}
